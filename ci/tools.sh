# shellcheck shell=bash
# What ci/release and ci/prove need beside Debian's packages: zig with cargo-zigbuild, the linker
# for what is not this machine, and lief, which reads Mac programs. Sourced.
CARGO_TARGET_DIR=$(realpath "${CARGO_TARGET_DIR:-target}")/cross
tools=$CARGO_TARGET_DIR/tools
if [ ! -e "$tools/ready" ]; then
    mkdir -p "$tools"
    python3 -m pip install --quiet --root-user-action=ignore --upgrade --target "$tools" \
        ziglang==0.17.1 cargo-zigbuild==0.24.0 lief==1.0.0
    touch "$tools/ready"
fi
export CARGO_TARGET_DIR PYTHONPATH=$tools PATH=$tools/bin:$PATH
