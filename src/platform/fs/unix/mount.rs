//! Mounts: which one a folder belongs to, and which ones are below a path.
//!
//! A bind mount has the device number of the file system that it shows again, so on Linux mounts
//! are told apart by the kernel's number of the mount. macOS has no bind mounts.

use super::{Root, failure, root::LINK_LIMIT};
use crate::{Code, Error, Result, platform::fs::Mounted};
use rustix::{
    fs::{self, AtFlags, FileType},
    io::Errno,
};
use std::{
    ffi::{CStr, OsStr, OsString},
    os::{fd::AsFd, unix::ffi::OsStringExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Tells the mounts of this host apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MountId {
    /// The kernel's number of the mount.
    #[cfg(target_os = "linux")]
    Mount(u64),
    /// The device number, where nothing better is known.
    Device(u64),
}

impl MountId {
    /// The mount that an open folder belongs to.
    pub(super) fn of(folder: impl AsFd) -> Result<Self, Errno> {
        #[cfg(target_os = "linux")]
        if let Some(number) = linux::mount_number(&folder) {
            return Ok(Self::Mount(number));
        }
        #[allow(clippy::unnecessary_cast)] // its width differs between systems
        fs::fstat(folder).map(|stat| Self::Device(stat.st_dev as u64))
    }

    /// The mount of what stands under a name in an open folder; a link is not followed.
    pub(super) fn at(folder: impl AsFd, name: &OsStr) -> Result<Self, Errno> {
        #[cfg(target_os = "linux")]
        if let Some(number) = linux::mount_number_at(&folder, name) {
            return Ok(Self::Mount(number));
        }
        #[allow(clippy::unnecessary_cast)] // its width differs between systems
        fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .map(|stat| Self::Device(stat.st_dev as u64))
    }

    /// Whether both are known and are one mount.
    pub(super) fn is_known_same(one: Option<Self>, other: Option<Self>) -> bool {
        one.is_some() && one == other
    }
}

/// Which mounts a run looks into.
#[derive(Debug, Clone)]
pub(super) enum Reach {
    /// All of this host's.
    Host,
    /// The one that the image's folder is on, and file systems of disks that are mounted in it and
    /// nowhere else.
    Image { image_mount: Option<MountId>, base: Arc<Path> },
}

impl Reach {
    /// Of an image with this folder.
    pub(super) fn image(folder: impl AsFd, base: &Path) -> Self {
        let base = std::fs::canonicalize(base).unwrap_or_else(|_| base.to_owned());
        Self::Image { image_mount: MountId::of(folder).ok(), base: base.into() }
    }

    /// Refuses an open folder or file of an image that is no part of it: in the `/proc` that is
    /// mounted in it for a `chroot` are the secrets of this host's processes.
    ///
    /// # Errors
    /// [`Code::UntrustedPath`].
    pub(super) fn admit(&self, handle: impl AsFd, path: &Path) -> Result<()> {
        let Self::Image { image_mount, base } = self else { return Ok(()) };
        let its = MountId::of(&handle).ok();
        if MountId::is_known_same(*image_mount, its)
            || is_part(*image_mount, its, base, is_of_a_disk(&handle))
        {
            return Ok(());
        }
        Err(Error::new(
            Code::UntrustedPath,
            format!("{} is on a mount that is no part of the image", path.display()),
        )
        .help("unmount what is mounted in the image from this host, such as /proc and /run"))
    }
}

/// Whether a mount belongs to the image in the folder `base`, which is on the mount `image_mount`: it shows a
/// part of that folder once more, or a disk's file system that is mounted in it and nowhere else.
/// Another bind mount shows what the host has elsewhere.
#[cfg(target_os = "linux")]
fn is_part(image_mount: Option<MountId>, its: Option<MountId>, base: &Path, is_disk: bool) -> bool {
    let (Some(MountId::Mount(image_mount)), Some(MountId::Mount(its))) = (image_mount, its) else {
        return false;
    };
    let Ok(list) = std::fs::read("/proc/self/mountinfo") else { return false };
    let shown = linux::shown(&list);
    linux::is_own(&shown, image_mount, its, base) || is_disk && linux::is_inside(&shown, its, base)
}

/// No other system mounts a folder of the host in an image.
#[cfg(not(target_os = "linux"))]
fn is_part(_own: Option<MountId>, _its: Option<MountId>, _base: &Path, _is_disk: bool) -> bool {
    true
}

/// Whether a file system holds the files of a disk, or of layers of an image.
#[cfg(target_os = "linux")]
fn is_of_a_disk(handle: impl AsFd) -> bool {
    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)] // a number of 32 bits
    fs::fstatfs(handle).is_ok_and(|system| DISKS.contains(&(system.f_type as u32)))
}

/// No other system mounts in an image what shows its processes.
#[cfg(not(target_os = "linux"))]
fn is_of_a_disk(_handle: impl AsFd) -> bool {
    true
}

/// `f_type` of the file systems of disks, by `statfs(2)` and the kernel's `linux/magic.h`.
#[cfg(target_os = "linux")]
const DISKS: [u32; 19] = [
    0x0000_EF53, // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // Btrfs
    0xF2F5_2010, // F2FS
    0xCA45_1A4E, // bcachefs
    0x2FC1_2FC1, // ZFS
    0x794C_7630, // overlayfs
    0x7371_7368, // SquashFS
    0xE0F5_E1E2, // EROFS
    0x0000_9660, // ISO 9660
    0x1501_3346, // UDF
    0x0000_4D44, // FAT
    0x2011_BAB0, // exFAT
    0x7366_746E, // NTFS
    0x3153_464A, // JFS
    0x5265_4973, // ReiserFS
    0x0000_3434, // NILFS
    0x0116_1970, // GFS2
    0x7461_636F, // OCFS2
];

/// What the kernel knows of a name in an open folder by itself: the server of a file system that is
/// mounted there is not asked, and so need not answer.
pub(super) struct Glance {
    pub(super) is_folder: bool,
    pub(super) uid: u32,
    /// `None` where the kernel does not tell.
    pub(super) mount: Option<MountId>,
}

impl Glance {
    /// A link is not followed.
    pub(super) fn at(folder: impl AsFd, name: &CStr) -> Result<Self, Errno> {
        #[cfg(target_os = "linux")]
        match linux::glance(&folder, name) {
            // Linux before 4.11, and filters of system calls that are older than this one.
            Err(Errno::NOSYS | Errno::PERM) => {}
            found => return found,
        }
        let stat = fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        Ok(Self { is_folder, uid: stat.st_uid, mount: None })
    }
}

impl Root {
    /// The mount points at `path` and below it, as seen from outside the root. They are only read
    /// from the list of mounts: a look at one may never be answered.
    ///
    /// # Errors
    /// When the way to `path` or the list of mounts cannot be read.
    pub fn mounts_below(&self, path: &Path) -> Result<Vec<PathBuf>> {
        // Nothing is mounted on what is not there.
        let Some(real) = self.real(path.to_owned())? else { return Ok(Vec::new()) };
        let base = std::fs::canonicalize(&self.base).unwrap_or_else(|_| self.base.clone());
        let real = base.join(real.strip_prefix("/").unwrap_or(&real));
        let mut points: Vec<_> = mounts()?.into_iter().map(|mount| mount.point).collect();
        points.retain(|point| point.starts_with(&real));
        points.dedup();
        Ok(points)
    }
}

impl Root {
    /// Where `path` really is, with the links on the way followed that [`Root::walk`] follows. What
    /// stands there itself is not looked at. `None` when it is not there.
    fn real(&self, path: PathBuf) -> Result<Option<PathBuf>> {
        let mut path = path;
        for _ in 0..LINK_LIMIT {
            let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
                return Ok(Some(path));
            };
            let Some(spot) = self.find(&path)? else { return Ok(None) };
            let above =
                if above.parent().is_some() { self.walk(above)?.real } else { above.into() };
            path = match fs::readlinkat(&spot.folder, name, Vec::new()) {
                Ok(target) if spot.trusted => above.join(OsString::from_vec(target.into_bytes())),
                Err(Errno::NOENT) => return Ok(None),
                // No link, or one that is not followed.
                Ok(_) | Err(_) => return Ok(Some(above.join(name))),
            };
        }
        Ok(None)
    }
}

/// The mounts of this host, in the order in which they lie on top of each other.
///
/// # Errors
/// When the list cannot be read: nothing is known then, and not that nothing is mounted.
#[cfg(target_os = "linux")]
pub fn mounts() -> Result<Vec<Mounted>> {
    let list = Path::new("/proc/self/mountinfo");
    let text = std::fs::read(list).map_err(|error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        failure("read the list of mounts in", list, errno)
    })?;
    Ok(linux::mounts(&text))
}

/// The mounts that a process sees; `None` where they are the host's.
///
/// # Errors
/// When its list cannot be read, as by anyone but root.
#[cfg(target_os = "linux")]
pub fn mounts_of(pid: u32) -> Result<Option<Vec<Mounted>>> {
    let own = Path::new("/proc/self/ns/mnt");
    let (its, list) = (format!("/proc/{pid}/ns/mnt"), format!("/proc/{pid}/mountinfo"));
    let error = |path: &str, error: &std::io::Error| {
        let errno = Errno::from_io_error(error).unwrap_or(Errno::IO);
        failure("read the mounts of a process in", Path::new(path), errno)
    };
    let its_space = std::fs::read_link(&its).map_err(|why| error(&its, &why))?;
    if std::fs::read_link(own).is_ok_and(|space| space == its_space) {
        return Ok(None);
    }
    let mut text = Vec::new();
    let file = std::fs::File::open(&list).map_err(|why| error(&list, &why))?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LIST), &mut text)
        .map_err(|why| error(&list, &why))?;
    Ok(Some(linux::mounts(&text)))
}

/// Most bytes of a process's list of mounts.
#[cfg(target_os = "linux")]
const LIST: u64 = 4 << 20;

/// All processes see the same.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn mounts_of(_pid: u32) -> Result<Option<Vec<Mounted>>> {
    Ok(None)
}

/// A volume has a device number of its own, by which the removal of a tree knows it.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn mounts() -> Result<Vec<Mounted>> {
    let _ = failure;
    Ok(Vec::new())
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Glance, MountId};
    use crate::platform::fs::Mounted;
    use rustix::{
        fs::{self, AtFlags, FileType, Mode, OFlags, StatxFlags},
        io::Errno,
    };
    use std::{
        ffi::{CStr, OsStr, OsString},
        os::{
            fd::{AsFd, AsRawFd},
            unix::ffi::OsStringExt,
        },
        path::{Path, PathBuf},
    };

    /// What the kernel has in memory is enough.
    const UNASKED: AtFlags = AtFlags::NO_AUTOMOUNT.union(AtFlags::STATX_DONT_SYNC);

    pub(super) fn glance(folder: impl AsFd, name: &CStr) -> Result<Glance, Errno> {
        let metadata =
            |wanted| fs::statx(&folder, name, AtFlags::SYMLINK_NOFOLLOW | UNASKED, wanted);
        let stat = match metadata(StatxFlags::TYPE | StatxFlags::UID | StatxFlags::MNT_ID) {
            // A mount of another account, which hides from root all but the mount itself.
            Err(Errno::ACCESS) => metadata(StatxFlags::MNT_ID)?,
            found => found?,
        };
        let has_mount = stat.stx_mask & StatxFlags::MNT_ID.bits() != 0;
        Ok(Glance {
            is_folder: FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Directory,
            uid: stat.stx_uid,
            mount: has_mount.then_some(MountId::Mount(stat.stx_mnt_id)),
        })
    }

    pub(super) fn mount_number(folder: impl AsFd) -> Option<u64> {
        let flags = AtFlags::EMPTY_PATH | UNASKED;
        let known = fs::statx(&folder, "", flags, StatxFlags::MNT_ID).ok();
        let known = known.filter(|stat| stat.stx_mask & StatxFlags::MNT_ID.bits() != 0);
        known.map(|stat| stat.stx_mnt_id).or_else(|| listed_number(&folder))
    }

    pub(super) fn mount_number_at(folder: impl AsFd, name: &OsStr) -> Option<u64> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let end = fs::openat(folder, name, flags, Mode::empty()).ok()?;
        mount_number(end)
    }

    /// What Linux before 5.8 says of an open file.
    pub(super) fn listed_number(folder: impl AsFd) -> Option<u64> {
        let number = folder.as_fd().as_raw_fd();
        let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
    }

    /// The lines of `mountinfo`: the point is the fifth field, and its options the sixth; after a
    /// dash come the file system's kind, its source and its own options. A name may be any bytes.
    pub(super) fn mounts(list: &[u8]) -> Vec<Mounted> {
        list.split(|byte| *byte == b'\n').filter_map(mount).collect()
    }

    /// What a mount shows: which file system, from which folder of it, and where.
    pub(super) struct Shown {
        number: u64,
        system: Vec<u8>,
        from: PathBuf,
        point: PathBuf,
    }

    /// The same lines by their first, third, fourth and fifth fields.
    pub(super) fn shown(list: &[u8]) -> Vec<Shown> {
        let path = |field: &[u8]| PathBuf::from(OsString::from_vec(unescaped(field)));
        let shown = list.split(|byte| *byte == b'\n').filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b' ');
            let number = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
            let system = fields.nth(1)?.to_vec();
            let (from, point) = (path(fields.next()?), path(fields.next()?));
            Some(Shown { number, system, from, point })
        });
        shown.collect()
    }

    /// Whether a mount shows a part of the folder `base`, which is on the mount `image_mount`.
    pub(super) fn is_own(all: &[Shown], image_mount: u64, its: u64, base: &Path) -> bool {
        let of = |number: u64| all.iter().find(|shown| shown.number == number);
        let (Some(image_mount), Some(its)) = (of(image_mount), of(its)) else { return false };
        let Ok(inner) = base.strip_prefix(&image_mount.point) else { return false };
        image_mount.system == its.system && its.from.starts_with(image_mount.from.join(inner))
    }

    /// Whether the file system of a mount is mounted below this folder and nowhere else.
    pub(super) fn is_inside(all: &[Shown], number: u64, base: &Path) -> bool {
        let image_mount = all.iter().find(|shown| shown.number == number);
        image_mount.is_some_and(|image_mount| {
            let mut others = all.iter().filter(|shown| shown.system == image_mount.system);
            others.all(|shown| shown.point.starts_with(base))
        })
    }

    fn mount(line: &[u8]) -> Option<Mounted> {
        let mut fields = line.split(|byte| *byte == b' ');
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
        let order = number().zip(number());
        let mut fields = fields.skip(2);
        let point = PathBuf::from(OsString::from_vec(unescaped(fields.next()?)));
        let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
        let list = |field: &[u8]| text(field).split(',').map(str::to_owned).collect::<Vec<_>>();
        let mut options = fields.next().map(list).unwrap_or_default();
        let mut system = fields.skip_while(|field| *field != b"-").skip(1);
        let kind = system.next().map(text).unwrap_or_default();
        for option in system.nth(1).map(list).unwrap_or_default() {
            // Whether the mount is writable it says itself.
            if option != "rw" && !options.contains(&option) {
                options.push(option);
            }
        }
        Some(Mounted { point, kind, options, order })
    }

    /// Blanks, tabs, line ends and backslashes stand there as three octal digits.
    fn unescaped(field: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(field.len());
        let mut rest = field;
        while let Some((first, after)) = rest.split_first() {
            let octal = after.get(..3).filter(|_| *first == b'\\');
            let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
            match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = after.get(3..).unwrap_or_default();
                }
                None => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        bytes
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn both_ways_to_the_number_of_a_mount_agree() {
            let [root, proc] = ["/", "/proc"].map(|path| std::fs::File::open(path).unwrap());
            assert_eq!(mount_number(&root), listed_number(&root));
            assert_ne!(listed_number(&root), listed_number(&proc));
        }

        #[test]
        fn what_the_host_has_mounted_elsewhere_is_no_part_of_an_image() {
            let list = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                         40 22 8:1 /home /srv/img/home rw - ext4 /dev/sda1 rw\n\
                         41 22 8:2 / /srv/img/boot rw - ext4 /dev/sda2 rw\n\
                         42 22 8:3 / /srv/img-two rw - ext4 /dev/sda3 rw\n\
                         43 22 8:1 /srv/img/etc /srv/img/etc ro - ext4 /dev/sda1 rw\n";
            let (all, base) = (shown(list), Path::new("/srv/img"));
            assert!(is_inside(&all, 41, base));
            assert!([22, 40, 42, 99].iter().all(|number| !is_inside(&all, *number, base)));
            assert!(is_own(&all, 22, 43, base));
            assert!([40, 41, 42, 99].iter().all(|number| !is_own(&all, 22, *number, base)));
        }

        #[test]
        fn mount_points_are_read_with_their_blanks() {
            let list = b"22 1 0:21 / /proc rw - proc proc rw\n\
                         40 1 8:1 /a /srv/a\\040b\\134c rw,noexec shared:1 - ext4 /dev/sda1 ro\n";
            let found = mounts(list);
            let points: Vec<_> = found.iter().map(|mount| mount.point.clone()).collect();
            assert_eq!(points, ["/proc", "/srv/a b\\c"].map(PathBuf::from));
            assert_eq!(found[1].kind, "ext4");
            assert_eq!(found[1].options, ["rw", "noexec", "ro"]);
            assert_eq!(found[1].order, Some((40, 1)));
            assert!(mounts(b"\n22 1\n").is_empty());
        }

        #[test]
        fn a_name_that_is_no_text_hides_no_other_mount() {
            let found = mounts(b"1 0 0:1 / /a\xff rw - ext4 x rw\n2 0 0:1 / /b rw - ext4 x rw\n");
            assert_eq!(found.len(), 2);
            assert_eq!(found[0].point.as_os_str().as_encoded_bytes(), b"/a\xff");
        }
    }
}
