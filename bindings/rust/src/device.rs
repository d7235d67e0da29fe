// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//! Block devices, and names in /dev/mapper.

use crate::dm::number;
use crate::error::errno::{EBUSY, EEXIST, ENOTBLK};
use crate::error::{number_of, Error, Kind};
use crate::{path, sys};
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{symlink, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Bytes at each end of a device that must be zeros.
const EDGE: u64 = 1 << 20;
/// O_EXCL: fail if the device is in use.
const EXCLUSIVE: i32 = 0o200;

/// An open block device.
pub(crate) struct Device {
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) read_only: bool,
}

fn system(object: &str, what: &str, e: &io::Error) -> Error {
    Error::new(Kind::Device, number_of(e), object, format_args!("{}: {}", what, e))
}

impl Device {
    /// Opens a block device for reading.
    pub(crate) fn open(path: &str, exclusive: bool) -> Result<Self, Error> {
        let info = fs::metadata(path).map_err(|e| system(path, "expected a block device", &e))?;
        if !info.file_type().is_block_device() {
            return Err(Error::new(
                Kind::Device,
                ENOTBLK,
                path,
                "expected a block device, found another file",
            ));
        }
        let flags = if exclusive { EXCLUSIVE } else { 0 };
        let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|e| {
            if number_of(&e) == EBUSY {
                Error::new(Kind::Busy, EBUSY, path, "expected a device without users, found one in use")
            } else {
                system(path, "cannot open it", &e)
            }
        })?;
        let examine = |e| system(path, "cannot examine it", &e);
        let bytes = file.seek(SeekFrom::End(0)).map_err(examine)?;
        let read_only = sys::is_read_only(&file).map_err(examine)?;
        Ok(Device { file, bytes, read_only })
    }
}

/// The position of the first byte other than zero in the first and in the last MiB of something
/// that has this size.
pub(crate) fn first_data(r: &mut (impl Read + Seek), size: u64) -> io::Result<Option<u64>> {
    let mut b = vec![0; size.min(EDGE) as usize];
    for from in [0, size.saturating_sub(EDGE)] {
        r.seek(SeekFrom::Start(from))?;
        r.read_exact(&mut b)?;
        if let Some(at) = b.iter().position(|&x| x != 0) {
            return Ok(Some(from + at as u64));
        }
    }
    Ok(None)
}

/// Does the path lead to the block device with this number?
fn is_device(path: &str, dev: u64) -> bool {
    fs::metadata(path).map_or(false, |m| m.file_type().is_block_device() && m.rdev() == dev)
}

/// Makes /dev/mapper/NAME: the link that udev would make, or a device node where /dev has no file
/// for the device.
pub(crate) fn create_node(name: &str, dev: u64) -> Result<(), Error> {
    let path = path(name);
    let (_, minor) = number(dev);
    // udev may make the same link at the same time
    if is_device(&path, dev) {
        return Ok(());
    }
    let made = if is_device(&format!("/dev/dm-{}", minor), dev) {
        symlink(format!("../dm-{}", minor), &path)
    } else {
        CString::new(path.as_str()).map_err(io::Error::from).and_then(|p| sys::make_node(&p, dev))
    };
    match made {
        Ok(()) => Ok(()),
        Err(_) if is_device(&path, dev) => Ok(()),
        Err(e) if number_of(&e) == EEXIST => Err(Error::new(
            Kind::Exists,
            EEXIST,
            &path,
            "expected no file, found one that belongs to no mapping; remove it",
        )),
        Err(e) => Err(system(&path, "cannot create it", &e)),
    }
}

/// Removes /dev/mapper/NAME if it is the link or the node of a device that has just been closed.
/// Another file of this name stays.
pub(crate) fn remove_node(name: &str, dev: u64) {
    let path = path(name);
    let (_, minor) = number(dev);
    let ours = match fs::read_link(&path) {
        Ok(link) => link == Path::new(&format!("../dm-{}", minor)),
        Err(_) => is_device(&path, dev),
    };
    if ours {
        // udev may remove it at the same time
        let _ = fs::remove_file(&path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn data_at_the_edges() {
        let e = EDGE as usize;
        for (size, data, want) in [
            (0, vec![], None),
            (512, vec![], None),
            (512, vec![511], Some(511)),
            (4 * e, vec![], None),
            (4 * e, vec![0, 1080], Some(0)),
            (4 * e, vec![e - 1], Some(e - 1)),
            (4 * e, vec![e, 3 * e - 1], None),
            (4 * e, vec![3 * e], Some(3 * e)),
            (4 * e, vec![4 * e - 1], Some(4 * e - 1)),
            (e + 512, vec![e + 511], Some(e + 511)),
            (e + 512, vec![], None),
        ] {
            let mut b = vec![0; size];
            data.iter().for_each(|&at: &usize| b[at] = 1);
            let got = first_data(&mut Cursor::new(b), size as u64).expect("no error");
            assert_eq!(got, want.map(|at| at as u64), "{} bytes, data at {:?}", size, data);
        }
        // a device that is shorter than it says
        assert!(first_data(&mut Cursor::new(vec![0; e]), 4 * EDGE).is_err());
    }

    #[test]
    fn no_block_devices() {
        for (path, want) in
            [("/dev/nosuch", 2), ("/dev/null", ENOTBLK), ("/", ENOTBLK), ("/dev/null/sub", 20)]
        {
            let e = Device::open(path, false).err().expect("an error");
            assert_eq!((e.kind(), e.errno()), (Kind::Device, want), "{}", e);
            assert!(e.to_string().starts_with(&format!("{}: expected a block device", path)), "{}", e);
        }
    }
}
