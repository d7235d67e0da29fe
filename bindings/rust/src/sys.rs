// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//! The three calls that the standard library lacks. All unsafe code of the crate is here.
#![allow(unsafe_code)]

use crate::dm;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::os::unix::io::AsRawFd;

#[cfg(target_env = "musl")]
type Command = c_int;
#[cfg(not(target_env = "musl"))]
type Command = std::os::raw::c_ulong;

const BLKROGET: u32 = 0x125e;
const S_IFBLK: c_uint = 0o060000;

// The C library's declarations on Linux: mode_t is an unsigned int, dev_t has 64 bits, size_t and
// ssize_t have the size of a pointer.
extern "C" {
    fn ioctl(fd: c_int, command: Command, ...) -> c_int;
    fn mknod(path: *const c_char, mode: c_uint, dev: u64) -> c_int;
    fn getrandom(buffer: *mut c_void, size: usize, flags: c_uint) -> isize;
}

fn result(r: c_int) -> io::Result<()> {
    if r < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Calls device-mapper. `buffer` begins with a struct dm_ioctl; this function sets its data_size.
pub(crate) fn dm_ioctl(control: &File, command: u32, buffer: &mut [u8]) -> io::Result<()> {
    assert!(buffer.len() >= dm::HEADER_SIZE && dm::is_command(command));
    let size = u32::try_from(buffer.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    buffer[dm::AT_DATA_SIZE..dm::AT_DATA_SIZE + 4].copy_from_slice(&size.to_le_bytes());
    // SAFETY: the descriptor is open as long as `control` is borrowed. The commands of
    // device-mapper take a pointer to a struct dm_ioctl; the kernel copies it in and out, so its
    // alignment does not matter. The kernel reads and writes at most data_size bytes, which is
    // the length of the buffer that is borrowed for writing. On a file that is not the control
    // device the command is unknown.
    result(unsafe { ioctl(control.as_raw_fd(), command as Command, buffer.as_mut_ptr()) })
}

/// Is this block device read-only?
pub(crate) fn is_read_only(device: &File) -> io::Result<bool> {
    let mut read_only: c_int = 0;
    // SAFETY: the descriptor is open as long as `device` is borrowed. BLKROGET writes one int,
    // to which the pointer leads.
    result(unsafe { ioctl(device.as_raw_fd(), BLKROGET as Command, &mut read_only as *mut c_int) })?;
    Ok(read_only != 0)
}

/// Makes a device node for a block device, which only its owner may use.
pub(crate) fn make_node(path: &CStr, dev: u64) -> io::Result<()> {
    // SAFETY: the path ends with a NUL, since it is a CStr. The call keeps no pointer to it.
    result(unsafe { mknod(path.as_ptr(), S_IFBLK | 0o600, dev) })
}

/// Random bytes of the kernel.
pub(crate) fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0u8; 16];
    // SAFETY: the kernel writes at most as many bytes as the array has.
    let n = unsafe { getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    match usize::try_from(n) {
        Ok(16) => Ok(bytes),
        Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(_) => Err(io::Error::last_os_error()),
    }
}
