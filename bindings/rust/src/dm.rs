// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//! The interface of linux/dm-ioctl.h: requests, and answers that are parsed with bounds. All
//! numbers are little-endian on the architectures of this crate.

use crate::error::errno::{EFBIG, EINTR};
use crate::error::number_of;
use crate::sys;
use std::fs::OpenOptions;
use std::io;

pub(crate) const CONTROL: &str = "/dev/mapper/control";

// struct dm_ioctl
pub(crate) const HEADER_SIZE: usize = 312;
pub(crate) const AT_DATA_SIZE: usize = 12;
const AT_DATA_START: usize = 16;
const AT_TARGETS: usize = 20;
const AT_OPEN: usize = 24;
const AT_FLAGS: usize = 28;
const AT_DEV: usize = 40;
const AT_NAME: usize = 48;
pub(crate) const NAME_SIZE: usize = 128;
const AT_UUID: usize = 176;
pub(crate) const UUID_SIZE: usize = 129;

// struct dm_target_spec
const TARGET_SIZE: usize = 40;
const AT_TARGET_LENGTH: usize = 8;
const AT_TARGET_KIND: usize = 24;
const TARGET_KIND_SIZE: usize = 16;

// struct dm_name_list
const AT_LIST_NEXT: usize = 8;
const AT_LIST_NAME: usize = 12;

// struct dm_target_versions
const AT_VERSION: usize = 4;
const AT_VERSION_NAME: usize = 16;

// _IOWR(0xfd, 0, struct dm_ioctl)
const BASE: u32 = 0xc138_fd00;
pub(crate) const VERSION: u32 = BASE;
pub(crate) const LIST: u32 = BASE | 2;
pub(crate) const CREATE: u32 = BASE | 3;
pub(crate) const REMOVE: u32 = BASE | 4;
/// Without the flag SUSPENDED it resumes.
pub(crate) const SUSPEND: u32 = BASE | 6;
pub(crate) const LOAD: u32 = BASE | 9;
pub(crate) const STATUS: u32 = BASE | 12;
pub(crate) const VERSIONS: u32 = BASE | 13;
const VERSION_MAJOR: u32 = 4;

pub(crate) const SUSPENDED: u32 = 1 << 1;
pub(crate) const TABLE: u32 = 1 << 4;
const BUFFER_FULL: u32 = 1 << 8;
pub(crate) const NO_FLUSH: u32 = 1 << 11;
pub(crate) const DEFERRED: u32 = 1 << 17;

const BUFFER_SIZE: usize = 16 << 10;
const BUFFER_MOST: usize = 16 << 20;

/// Is it a command of this module?
pub(crate) fn is_command(command: u32) -> bool {
    [VERSION, LIST, CREATE, REMOVE, SUSPEND, LOAD, STATUS, VERSIONS].contains(&command)
}

fn u32_at(b: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(b.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(b: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(b.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// The bytes before the first NUL. None: there is no NUL.
fn until_nul(b: &[u8]) -> Option<&[u8]> {
    b.iter().position(|&x| x == 0).map(|n| &b[..n])
}

/// The text of a field, which ends with a NUL or with the field.
fn text(b: &[u8]) -> String {
    String::from_utf8_lossy(until_nul(b).unwrap_or(b)).into_owned()
}

/// A struct dm_ioctl, and the data that follows it.
pub(crate) struct Request(Vec<u8>);

impl Request {
    pub(crate) fn new(name: &[u8], flags: u32) -> Self {
        let mut r = Request(vec![0; HEADER_SIZE]);
        r.put(0, &VERSION_MAJOR.to_le_bytes(), 4);
        r.put(AT_DATA_START, &(HEADER_SIZE as u32).to_le_bytes(), 4);
        r.put(AT_FLAGS, &flags.to_le_bytes(), 4);
        r.put(AT_NAME, name, NAME_SIZE - 1);
        r
    }

    /// A request that loads a table of one line.
    pub(crate) fn load(name: &[u8], kind: &str, sectors: u64, params: &str) -> Self {
        let mut r = Request::new(name, 0);
        r.put(AT_TARGETS, &1u32.to_le_bytes(), 4);
        r.0.resize(HEADER_SIZE + TARGET_SIZE, 0);
        r.put(HEADER_SIZE + AT_TARGET_LENGTH, &sectors.to_le_bytes(), 8);
        r.put(HEADER_SIZE + AT_TARGET_KIND, kind.as_bytes(), TARGET_KIND_SIZE - 1);
        r.0.extend_from_slice(params.as_bytes());
        r.0.push(0);
        r
    }

    pub(crate) fn set_uuid(&mut self, uuid: &str) {
        self.put(AT_UUID, uuid.as_bytes(), UUID_SIZE - 1);
    }

    /// Puts at most so many bytes at a place of the request.
    fn put(&mut self, at: usize, bytes: &[u8], most: usize) {
        let n = bytes.len().min(most);
        self.0[at..at + n].copy_from_slice(&bytes[..n]);
    }

    /// Sends the request, and again with more room until the answer fits.
    pub(crate) fn run(&self, command: u32) -> io::Result<Answer> {
        let control = OpenOptions::new().read(true).write(true).open(CONTROL)?;
        let mut size = BUFFER_SIZE.max(self.0.len().next_power_of_two());
        while size <= BUFFER_MOST {
            let mut buffer = vec![0; size];
            buffer[..self.0.len()].copy_from_slice(&self.0);
            match sys::dm_ioctl(&control, command, &mut buffer) {
                Err(e) if number_of(&e) == EINTR => continue,
                r => r?,
            }
            if u32_at(&buffer, AT_FLAGS).unwrap_or(0) & BUFFER_FULL == 0 {
                return Answer::parse(&buffer).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e));
            }
            size *= 2;
        }
        Err(io::Error::from_raw_os_error(EFBIG))
    }
}

/// What the kernel wrote over a request.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    targets: u32,
    pub(crate) open: i32,
    pub(crate) flags: u32,
    pub(crate) dev: u64,
    pub(crate) name: String,
    pub(crate) uuid: String,
    data: Vec<u8>,
}

/// A line of a table or of a status.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Target {
    pub(crate) sectors: u64,
    pub(crate) kind: String,
    pub(crate) line: String,
}

/// The size in an element of a list that leads to the next one: None at the end.
fn next<'a>(list: &str, b: &'a [u8], next: u32, least: usize) -> Result<Option<&'a [u8]>, String> {
    let n = next as usize;
    if n == 0 {
        return Ok(None);
    }
    if n <= least || n >= b.len() {
        return Err(format!(
            "{}: expected the next element between {} and {}, found {}",
            list,
            least + 1,
            b.len(),
            n
        ));
    }
    Ok(Some(&b[n..]))
}

impl Answer {
    pub(crate) fn parse(b: &[u8]) -> Result<Self, String> {
        if b.len() < HEADER_SIZE {
            return Err(format!(
                "answer of the kernel: expected at least {} bytes, found {}",
                HEADER_SIZE,
                b.len()
            ));
        }
        let word = |at| u32_at(b, at).unwrap_or(0);
        let (start, end) = (word(AT_DATA_START) as usize, word(AT_DATA_SIZE) as usize);
        if end > b.len() {
            return Err(format!("answer of the kernel: expected at most {} bytes, found {}", b.len(), end));
        }
        // an answer without data may end before its data begin
        let data = if start >= HEADER_SIZE && start < end { b[start..end].to_vec() } else { Vec::new() };
        Ok(Answer {
            targets: word(AT_TARGETS),
            open: word(AT_OPEN) as i32,
            flags: word(AT_FLAGS),
            dev: u64_at(b, AT_DEV).unwrap_or(0),
            name: text(&b[AT_NAME..AT_NAME + NAME_SIZE]),
            uuid: text(&b[AT_UUID..AT_UUID + UUID_SIZE]),
            data,
        })
    }

    /// The first line. A mapping without a table has an empty one.
    pub(crate) fn target(&self) -> Result<Target, String> {
        if self.targets == 0 {
            return Ok(Target::default());
        }
        if self.data.len() <= TARGET_SIZE {
            return Err(format!(
                "line of the kernel: expected more than {} bytes, found {}",
                TARGET_SIZE,
                self.data.len()
            ));
        }
        let line = until_nul(&self.data[TARGET_SIZE..])
            .ok_or("line of the kernel: expected a NUL at its end, found none")?;
        Ok(Target {
            sectors: u64_at(&self.data, AT_TARGET_LENGTH).unwrap_or(0),
            kind: text(&self.data[AT_TARGET_KIND..AT_TARGET_KIND + TARGET_KIND_SIZE]),
            line: String::from_utf8_lossy(line).into_owned(),
        })
    }

    /// The names in the answer to LIST.
    pub(crate) fn names(&self) -> Result<Vec<Vec<u8>>, String> {
        const LIST: &str = "list of mappings";
        let mut names = Vec::new();
        let mut rest = if self.data.is_empty() { None } else { Some(&self.data[..]) };
        while let Some(b) = rest {
            let (dev, size) = match (u64_at(b, 0), u32_at(b, AT_LIST_NEXT)) {
                (Some(dev), Some(size)) if b.len() > AT_LIST_NAME => (dev, size),
                _ => {
                    return Err(format!(
                        "{}: expected more than {} bytes, found {}",
                        LIST,
                        AT_LIST_NAME,
                        b.len()
                    ))
                }
            };
            // an empty list has one element without a device
            if dev == 0 {
                break;
            }
            let name = until_nul(&b[AT_LIST_NAME..])
                .ok_or("list of mappings: expected a NUL after the name, found none")?;
            names.push(name.to_vec());
            rest = next(LIST, b, size, AT_LIST_NAME)?;
        }
        Ok(names)
    }

    /// The major version of a kind of target in the answer to VERSIONS.
    pub(crate) fn version(&self, kind: &str) -> Result<Option<u32>, String> {
        const LIST: &str = "list of targets";
        let mut rest = if self.data.is_empty() { None } else { Some(&self.data[..]) };
        while let Some(b) = rest {
            let (size, major) = match (u32_at(b, 0), u32_at(b, AT_VERSION)) {
                (Some(size), Some(major)) if b.len() > AT_VERSION_NAME => (size, major),
                _ => {
                    return Err(format!(
                        "{}: expected more than {} bytes, found {}",
                        LIST,
                        AT_VERSION_NAME,
                        b.len()
                    ))
                }
            };
            let name = until_nul(&b[AT_VERSION_NAME..])
                .ok_or("list of targets: expected a NUL after the name, found none")?;
            if name == kind.as_bytes() {
                return Ok(Some(major));
            }
            rest = next(LIST, b, size, AT_VERSION_NAME)?;
        }
        Ok(None)
    }
}

/// Splits a device number of the kernel.
pub(crate) fn number(dev: u64) -> (u64, u64) {
    (dev >> 8 & 0xfff, dev & 0xff | dev >> 12 & 0xf_ff00)
}

#[cfg(test)]
#[path = "dm_tests.rs"]
mod tests;
