// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//! The error of this crate.

use std::fmt;
use std::io;

/// What kind of error it is. Later versions add kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An option or a name is invalid.
    Invalid,
    /// The device is not there, is no block device, is read-only, or cannot be read.
    Device,
    /// The device is too small.
    TooSmall,
    /// The device or the mapping is in use.
    Busy,
    /// The device is not empty, and `destroy` is not set.
    NotEmpty,
    /// The name or the UUID is in use.
    Exists,
    /// There is no mapping with this name, or it has another target.
    NotOpen,
    /// The kernel has no device-mapper, or no target ccdm of a supported version.
    Unsupported,
    /// The process lacks CAP_SYS_ADMIN.
    Permission,
    /// Another error of the kernel. Its log may have the reason.
    Kernel,
}

/// The error of all functions of this crate: an object, what was expected and what was found.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
    errno: i32,
    text: String,
}

impl Error {
    pub(crate) fn new(kind: Kind, errno: i32, object: &str, text: impl fmt::Display) -> Self {
        Error { kind, errno, text: format!("{}: {}", object, text) }
    }

    /// The kind of the error.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The error number of Linux, as in the library libccdm.
    pub fn errno(&self) -> i32 {
        self.errno
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = io::Error::from_raw_os_error(error.errno).kind();
        io::Error::new(kind, error)
    }
}

/// Numbers of errors, from linux/errno.h; the same on x86-64 and arm64.
pub(crate) mod errno {
    pub(crate) const EPERM: i32 = 1;
    pub(crate) const ENOENT: i32 = 2;
    pub(crate) const EINTR: i32 = 4;
    pub(crate) const EIO: i32 = 5;
    pub(crate) const ENXIO: i32 = 6;
    pub(crate) const EACCES: i32 = 13;
    pub(crate) const ENOTBLK: i32 = 15;
    pub(crate) const EBUSY: i32 = 16;
    pub(crate) const EEXIST: i32 = 17;
    pub(crate) const ENODEV: i32 = 19;
    pub(crate) const EINVAL: i32 = 22;
    pub(crate) const EFBIG: i32 = 27;
    pub(crate) const ENOSPC: i32 = 28;
    pub(crate) const EROFS: i32 = 30;
    pub(crate) const ECANCELED: i32 = 125;
}

/// The number in an error of the system, or EIO.
pub(crate) fn number_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(errno::EIO)
}
