// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//! Opens, closes, lists and describes mappings:
//!
//! - `disk open [--destroy] [--cache-mib N] DEVICE NAME`
//! - `disk close [--deferred] NAME`
//! - `disk status NAME`
//! - `disk list`

use ccdm::{Error, Options};
use std::process::ExitCode;

const USAGE: &str =
    "usage: disk open [--destroy] [--cache-mib N] DEVICE NAME | close [--deferred] NAME | status NAME | list";

/// Removes a flag from the arguments; true if it was there.
fn take(args: &mut Vec<String>, flag: &str) -> bool {
    let found = args.iter().position(|x| x == flag);
    found.map(|i| args.remove(i)).is_some()
}

fn status(name: &str) -> Result<(), Error> {
    let m = ccdm::status(name)?;
    println!("name {}\nuuid {}\ndev {}\nbacking {}\nbytes {}", m.name, m.uuid, m.dev, m.backing, m.bytes);
    println!("in-use {}\nsuspended {}\nactive {}\ntable {}", m.in_use, m.suspended, m.is_active(), m.table);
    for (name, value) in &m.words {
        println!("{}:{}", name, value);
    }
    Ok(())
}

fn list() -> Result<(), Error> {
    for name in ccdm::list()? {
        println!("{}", name);
    }
    Ok(())
}

fn run(mut args: Vec<String>) -> Option<Result<(), Error>> {
    let (destroy, deferred) = (take(&mut args, "--destroy"), take(&mut args, "--deferred"));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let open = |device: &str, name: &str, cache_mib| {
        ccdm::open(&Options {
            device: device.into(),
            name: name.into(),
            cache_mib,
            destroy,
            ..Options::default()
        })
    };
    match args[..] {
        ["open", device, name] => Some(open(device, name, None)),
        ["open", "--cache-mib", n, device, name] => Some(open(device, name, Some(n.parse().ok()?))),
        ["close", name] => Some(ccdm::close(name, deferred)),
        ["status", name] => Some(status(name)),
        ["list"] => Some(list()),
        _ => None,
    }
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Some(Ok(())) => return ExitCode::SUCCESS,
        Some(Err(e)) => eprintln!("disk: {} (errno {})", e, e.errno()),
        None => eprintln!("{}", USAGE),
    }
    ExitCode::FAILURE
}
