# shellcheck shell=bash
# A Windows to run programs in, as ci/wine-test and ci/prove share it. Sourced, with
# CARGO_TARGET_DIR set: `wine` then runs in a prefix of our own.
#
# Wine 8 lacks a DLL that every Rust program asks for its random numbers; without it each of them
# ends with 53, without a word.
export WINEPREFIX=$CARGO_TARGET_DIR/wine/prefix WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='

if [ ! -e "$WINEPREFIX/ready" ]; then
    mkdir -p "$CARGO_TARGET_DIR/wine"
    cat >"$CARGO_TARGET_DIR/wine/bcryptprimitives.c" <<'C'
#include <windows.h>
BOOLEAN WINAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
C
    x86_64-w64-mingw32-gcc -shared -o "$CARGO_TARGET_DIR/wine/bcryptprimitives.dll" \
        "$CARGO_TARGET_DIR/wine/bcryptprimitives.c" -ladvapi32
    wine wineboot -i >/dev/null 2>&1
    cp "$CARGO_TARGET_DIR/wine/bcryptprimitives.dll" "$WINEPREFIX/drive_c/windows/system32/"
    wine winecfg /v win10 >/dev/null 2>&1
    # Nearly all of the prefix is copies of files that Wine has anyway, 600 MB of them.
    for file in "$WINEPREFIX"/drive_c/windows/system32/*.*; do
        for original in /usr/lib/*/wine/x86_64-windows/"${file##*/}"; do
            if [ -f "$file" ] && cmp -s "$file" "$original"; then ln -sfn "$original" "$file"; fi
        done
    done
    touch "$WINEPREFIX/ready"
fi

# Ends what Wine's services left running in this prefix.
end_wine() { wineserver -k 2>/dev/null || true; }
