// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//! Opens and closes disks of the device-mapper target ccdm: ephemeral, encrypted, with integrity
//! and freshness.
//!
//! The crate calls the kernel itself. It needs neither another crate nor a program or a library
//! beyond libc, and works without udev. It loads no kernel module. All functions need root
//! (CAP_SYS_ADMIN) and /dev/mapper/control. They may be called by several threads.
//!
//! ```no_run
//! fn main() -> Result<(), ccdm::Error> {
//!     ccdm::open(&ccdm::Options { device: "/dev/vdb".into(), name: "scratch".into(), ..Default::default() })?;
//!     println!("{} has {} bytes", ccdm::path("scratch"), ccdm::status("scratch")?.bytes);
//!     ccdm::close("scratch", false)
//! }
//! ```
#![deny(missing_docs, unsafe_code)]
#![warn(unsafe_op_in_unsafe_fn)]

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64"
)))]
compile_error!("ccdm supports Linux on x86-64 and arm64");

mod device;
mod dm;
mod error;
mod geometry;
mod sys;

pub use error::{Error, Kind};

use device::{create_node, first_data, remove_node, Device};
use dm::{Answer, Request, Target, CONTROL};
use error::errno::*;
use error::number_of;
use geometry::{fit, BLOCK_SECTORS, BLOCK_SIZE};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::io;
use std::time::Duration;

/// The name of the target.
const KIND: &str = "ccdm";
const TABLE_VERSION: u32 = 1;
/// The UUID "CCDM-<32 digits>-<name>" must fit, too.
const NAME_MOST: usize = 90;

/// Tries of a removal, since udev may have the device open.
const REMOVE_TRIES: u32 = 25;
const REMOVE_PAUSE: Duration = Duration::from_millis(200);

/// A cipher suite. Later versions add suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cipher {
    /// aes-xts-gmac, the target's default
    AesXtsGmac,
    /// aes-xts-hmac-sha256
    AesXtsHmacSha256,
    /// aes-gcm
    AesGcm,
}

impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cipher::AesXtsGmac => "aes-xts-gmac",
            Cipher::AesXtsHmacSha256 => "aes-xts-hmac-sha256",
            Cipher::AesGcm => "aes-gcm",
        })
    }
}

/// What the kernel does if the device returns data other than what was written last. Later
/// versions add actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnTamper {
    /// The kernel panics: the target's default.
    Panic,
    /// The machine is switched off.
    PowerOff,
    /// All I/O of the mapping fails.
    Eio,
}

impl fmt::Display for OnTamper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnTamper::Panic => "panic",
            OnTamper::PowerOff => "poweroff",
            OnTamper::Eio => "eio",
        })
    }
}

/// What [`open`] opens. `device` and `name` are required; take the rest from
/// `Options::default()`, since later versions add members.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Path of the backing device.
    pub device: String,
    /// Name of the mapping: 1 to 90 letters, digits and #+-.:=@_
    pub name: String,
    /// Open the device although it is not empty. Its content is lost.
    pub destroy: bool,
    /// The cipher suite; None: the target's default.
    pub cipher: Option<Cipher>,
    /// The action on tamper; None: the target's default.
    pub on_tamper: Option<OnTamper>,
    /// Limit of the mapping's memory in MiB; None: the target's default.
    pub cache_mib: Option<u64>,
    /// A device whose content shows where nothing was written.
    pub origin: Option<String>,
    /// Bytes of the mapping, a multiple of 4096; None: the most that fits.
    pub size: Option<u64>,
    /// 32 hexadecimal digits in lower case; None: random.
    pub uuid: Option<String>,
    /// Pass discards to the device.
    pub allow_discards: bool,
    /// Open although a crash kernel is loaded.
    pub allow_kdump: bool,
}

/// The path of a mapping, "/dev/mapper/NAME".
pub fn path(name: &str) -> String {
    format!("/dev/mapper/{}", name)
}

fn invalid(object: &str, text: impl fmt::Display) -> Error {
    Error::new(Kind::Invalid, EINVAL, object, text)
}

fn check_path(option: &str, path: &str) -> Result<(), Error> {
    // device-mapper splits its line at white space, and a backslash protects a character
    if path.is_empty() || path.contains(|c: char| c.is_ascii_whitespace() || "\x0b\\\0".contains(c)) {
        return Err(invalid(
            option,
            format_args!("expected a path without white space and backslash, found {:?}", path),
        ));
    }
    Ok(())
}

impl Options {
    /// Checks everything that needs no device.
    fn check(&self) -> Result<(), Error> {
        let letter = |c: char| c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c);
        if self.name.is_empty()
            || self.name.len() > NAME_MOST
            || !self.name.chars().all(letter)
            || [".", "..", "control"].contains(&self.name.as_str())
        {
            return Err(invalid(
                "name",
                format_args!(
                    "expected 1 to {} letters, digits and #+-.:=@_, found {:?}",
                    NAME_MOST, self.name
                ),
            ));
        }
        check_path("device", &self.device)?;
        if let Some(origin) = &self.origin {
            check_path("origin", origin)?;
        }
        if let Some(size) = self.size {
            if size == 0 || size % BLOCK_SIZE != 0 {
                return Err(invalid(
                    "size",
                    format_args!("expected a multiple of {} bytes, found {}", BLOCK_SIZE, size),
                ));
            }
        }
        if let Some(uuid) = &self.uuid {
            if uuid.len() != 32 || !uuid.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)) {
                return Err(invalid(
                    "uuid",
                    format_args!("expected 32 hexadecimal digits in lower case, found {:?}", uuid),
                ));
            }
        }
        Ok(())
    }

    /// The table line after "ccdm".
    fn params(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.cipher.map(|x| format!("cipher:{}", x)));
        words.extend(self.cache_mib.map(|x| format!("cache_mib:{}", x)));
        words.extend(self.on_tamper.map(|x| format!("on_tamper:{}", x)));
        words.extend(self.origin.as_ref().map(|x| format!("origin:{}", x)));
        words.extend(self.allow_discards.then(|| "allow_discards".to_string()));
        words.extend(self.allow_kdump.then(|| "allow_kdump".to_string()));
        let line = format!("{} {} {}", TABLE_VERSION, self.device, words.len());
        words.insert(0, line);
        words.join(" ")
    }

    /// The size of the mapping on a device of this size, in blocks.
    fn blocks(&self, device: u64) -> Result<u64, Error> {
        let most = fit(device / BLOCK_SIZE);
        let small = |text: String| Error::new(Kind::TooSmall, ENOSPC, &self.device, text);
        if most == 0 {
            return Err(small(format!("expected at least {} bytes, found {}", 2 * BLOCK_SIZE, device)));
        }
        match self.size {
            Some(size) if size / BLOCK_SIZE > most => Err(small(format!(
                "expected room for {} bytes and their tree, found room for {}",
                size,
                most * BLOCK_SIZE
            ))),
            Some(size) => Ok(size / BLOCK_SIZE),
            None => Ok(most),
        }
    }

    /// Examines the devices, and returns the size of the mapping in blocks.
    fn look(&self) -> Result<u64, Error> {
        let mut device = Device::open(&self.device, true)?;
        if device.read_only {
            return Err(Error::new(
                Kind::Device,
                EROFS,
                &self.device,
                "expected a writable device, found a read-only one",
            ));
        }
        let blocks = self.blocks(device.bytes)?;
        if let Some(path) = &self.origin {
            let bytes = Device::open(path, false)?.bytes;
            if bytes == 0 || bytes % BLOCK_SIZE != 0 || bytes / BLOCK_SIZE > blocks {
                return Err(invalid(
                    path,
                    format_args!(
                        "expected a multiple of {} bytes, at most {}, found {}",
                        BLOCK_SIZE,
                        blocks * BLOCK_SIZE,
                        bytes
                    ),
                ));
            }
        }
        if self.destroy {
            return Ok(blocks);
        }
        match first_data(&mut device.file, device.bytes) {
            Ok(None) => Ok(blocks),
            Ok(Some(at)) => Err(Error::new(
                Kind::NotEmpty,
                ECANCELED,
                &self.device,
                format_args!("expected zeros in the first and the last MiB, found data at byte {}; to lose it, set destroy", at),
            )),
            Err(e) => Err(Error::new(Kind::Device, number_of(&e), &self.device, format_args!("cannot read it: {}", e))),
        }
    }
}

/// Opens a mapping as /dev/mapper/NAME.
///
/// Unless `destroy` is set, it refuses a device that is not empty: each byte of the first MiB and
/// of the last MiB must be zero. It does not look for data elsewhere. A device that held a ccdm
/// disk before is not empty, either.
///
/// # Errors
/// If it fails, no mapping is left behind. [`Error::kind`] says what failed.
pub fn open(options: &Options) -> Result<(), Error> {
    options.check()?;
    need_target()?;
    let blocks = options.look()?;
    let name = &options.name;
    let uuid = match &options.uuid {
        Some(uuid) => uuid.clone(),
        None => {
            let random = sys::random().map_err(|e| {
                Error::new(Kind::Kernel, EIO, "uuid", format_args!("cannot read random numbers: {}", e))
            })?;
            random.iter().fold(String::new(), |mut s, x| {
                let _ = write!(s, "{:02x}", x); // a String does not fail
                s
            })
        }
    };
    let mut create = Request::new(name.as_bytes(), 0);
    create.set_uuid(&format!("CCDM-{}-{}", uuid, name));
    let created = create.run(dm::CREATE).map_err(|e| match number_of(&e) {
        EBUSY | EEXIST => Error::new(
            Kind::Exists,
            EEXIST,
            name,
            "expected a free name and UUID, found a mapping that has one of them",
        ),
        _ => unusable(name, &e),
    })?;
    let load = Request::load(name.as_bytes(), KIND, blocks * BLOCK_SECTORS, &options.params());
    start(name, created.dev, &load).map_err(|e| match remove(name.as_bytes(), created.dev, false) {
        Ok(()) => e,
        Err(undo) => {
            Error::new(e.kind(), e.errno(), name, format_args!("{}; the mapping stays, since {}", e, undo))
        }
    })
}

/// Gives a new mapping its table and its name in /dev.
fn start(name: &str, dev: u64, load: &Request) -> Result<(), Error> {
    let failed = |text: String, e: &io::Error| Error::new(Kind::Kernel, number_of(e), name, text);
    load.run(dm::LOAD).map_err(|e| {
        failed(format!("the kernel refuses its table: {}; the kernel's log has the reason", e), &e)
    })?;
    Request::new(name.as_bytes(), 0)
        .run(dm::SUSPEND)
        .map_err(|e| failed(format!("cannot start it: {}", e), &e))?;
    create_node(name, dev)
}

/// Checks that the kernel has a target that knows this table line.
fn need_target() -> Result<(), Error> {
    Request::new(b"", 0).run(dm::VERSION).map_err(|e| unusable(CONTROL, &e))?;
    let answer = Request::new(b"", 0).run(dm::VERSIONS).map_err(|e| unusable(CONTROL, &e))?;
    match answer.version(KIND).map_err(|e| malformed(CONTROL, e))? {
        Some(TABLE_VERSION) => Ok(()),
        Some(version) => Err(Error::new(
            Kind::Unsupported,
            ECANCELED,
            "kernel",
            format_args!("expected version {} of the target ccdm, found {}", TABLE_VERSION, version),
        )),
        None => Err(Error::new(
            Kind::Unsupported,
            ENODEV,
            "kernel",
            "expected the device-mapper target ccdm, found none; load it with: modprobe dm-ccdm",
        )),
    }
}

fn malformed(object: &str, text: String) -> Error {
    Error::new(Kind::Kernel, EIO, object, text)
}

/// Describes why a request failed that says nothing about a mapping.
fn unusable(object: &str, e: &io::Error) -> Error {
    match number_of(e) {
        ENOENT | ENXIO | ENODEV => Error::new(
            Kind::Unsupported,
            ENODEV,
            CONTROL,
            format_args!("expected device-mapper: {}; load it with: modprobe dm-mod", e),
        ),
        errno @ (EPERM | EACCES) => Error::new(
            Kind::Permission,
            errno,
            CONTROL,
            format_args!("expected a process with CAP_SYS_ADMIN: {}", e),
        ),
        errno => {
            Error::new(Kind::Kernel, errno, object, format_args!("device-mapper does not answer: {}", e))
        }
    }
}

/// The state of a mapping. Later versions add members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mapping {
    /// Its name.
    pub name: String,
    /// Its UUID in device-mapper.
    pub uuid: String,
    /// Its number, "MAJOR:MINOR".
    pub dev: String,
    /// Number of the backing device.
    pub backing: String,
    /// Its size.
    pub bytes: u64,
    /// It has users.
    pub in_use: bool,
    /// It is suspended.
    pub suspended: bool,
    /// The table line after "ccdm".
    pub table: String,
    /// The words "name:value" of the status line.
    pub words: BTreeMap<String, String>,
}

impl Mapping {
    /// Does the mapping work? If not, all I/O fails.
    pub fn is_active(&self) -> bool {
        self.words.get("state").map_or(false, |x| x == "active")
    }
}

/// The words of a status line. A later kernel can have more of them.
fn parse_words(line: &str) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    for (name, value) in line.split_ascii_whitespace().filter_map(|word| word.split_once(':')) {
        words.entry(name.to_string()).or_insert_with(|| value.to_string());
    }
    words
}

fn not_open(name: &str) -> Error {
    Error::new(Kind::NotOpen, ENXIO, name, "expected an open mapping, found none")
}

/// An answer about a mapping with the target ccdm, and its line.
fn read(name: &[u8], flags: u32) -> Result<(Answer, Target), Error> {
    let shown = String::from_utf8_lossy(name);
    if name.is_empty() || name.len() >= dm::NAME_SIZE || name.contains(&0) {
        return Err(invalid(
            "name of the mapping",
            format_args!("expected 1 to {} bytes, found {:?}", dm::NAME_SIZE - 1, shown),
        ));
    }
    // Without NO_FLUSH the target would write to its device.
    let answer =
        Request::new(name, flags | dm::NO_FLUSH).run(dm::STATUS).map_err(|e| match number_of(&e) {
            ENXIO => not_open(&shown),
            _ => unusable(&shown, &e),
        })?;
    let target = answer.target().map_err(|e| malformed(&shown, e))?;
    if target.kind != KIND {
        return Err(Error::new(
            Kind::NotOpen,
            ENXIO,
            &shown,
            format_args!("expected a mapping with the target {}, found {:?}", KIND, target.kind),
        ));
    }
    Ok((answer, target))
}

/// Returns the state of a mapping. It writes nothing to the device.
///
/// # Errors
/// [`Kind::NotOpen`]: there is no such mapping, or it has another target. Others:
/// [`Kind::Invalid`], [`Kind::Unsupported`], [`Kind::Permission`], [`Kind::Kernel`].
pub fn status(name: &str) -> Result<Mapping, Error> {
    let (_, table) = read(name.as_bytes(), dm::TABLE)?;
    let (answer, status) = read(name.as_bytes(), 0)?;
    let (major, minor) = dm::number(answer.dev);
    Ok(Mapping {
        dev: format!("{}:{}", major, minor),
        // "<version> <backing device> ..."
        backing: table.line.split_ascii_whitespace().nth(1).unwrap_or("").to_string(),
        bytes: status.sectors.saturating_mul(512),
        in_use: answer.open > 0,
        suspended: answer.flags & dm::SUSPENDED != 0,
        table: table.line,
        words: parse_words(&status.line),
        name: answer.name,
        uuid: answer.uuid,
    })
}

/// Closes a mapping. Its content is lost.
///
/// If the mapping is in use, it tries again for 5 seconds. With `deferred`, a mapping that is in
/// use goes when its last user closes it.
///
/// # Errors
/// [`Kind::Busy`]: it is in use; [`Kind::NotOpen`]: there is no such mapping, or it has another
/// target. Others: [`Kind::Invalid`], [`Kind::Unsupported`], [`Kind::Permission`],
/// [`Kind::Kernel`].
pub fn close(name: &str, deferred: bool) -> Result<(), Error> {
    let (answer, _) = read(name.as_bytes(), dm::TABLE)?;
    remove(name.as_bytes(), answer.dev, deferred)
}

fn remove(name: &[u8], dev: u64, deferred: bool) -> Result<(), Error> {
    let request = Request::new(name, if deferred { dm::DEFERRED } else { 0 });
    let mut result = request.run(dm::REMOVE);
    for _ in 1..REMOVE_TRIES {
        match &result {
            Err(e) if number_of(e) == EBUSY => std::thread::sleep(REMOVE_PAUSE),
            _ => break,
        }
        result = request.run(dm::REMOVE);
    }
    let shown = String::from_utf8_lossy(name);
    let answer = result.map_err(|e| match number_of(&e) {
        EBUSY => Error::new(Kind::Busy, EBUSY, &shown, "expected a mapping without users, found one in use"),
        ENXIO => not_open(&shown),
        _ => unusable(&shown, &e),
    })?;
    if answer.flags & dm::DEFERRED == 0 {
        remove_node(&shown, dev);
    }
    Ok(())
}

/// Returns the names of the mappings with the target ccdm.
///
/// # Errors
/// [`Kind::Unsupported`], [`Kind::Permission`], [`Kind::Kernel`].
pub fn list() -> Result<Vec<String>, Error> {
    let answer = Request::new(b"", 0).run(dm::LIST).map_err(|e| unusable(CONTROL, &e))?;
    let mut list = Vec::new();
    for name in answer.names().map_err(|e| malformed(CONTROL, e))? {
        // The mapping may have disappeared by now, or have another target.
        match read(&name, dm::TABLE) {
            Ok(_) => list.push(
                String::from_utf8(name)
                    .map_err(|e| malformed(CONTROL, format!("name of a mapping: {}", e)))?,
            ),
            Err(e) if e.kind() == Kind::NotOpen => {}
            Err(e) => return Err(e),
        }
    }
    Ok(list)
}

// The example of README.md compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
