// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

use super::*;

/// An answer of the kernel with these data.
fn answer_with(targets: u32, data: &[u8]) -> Vec<u8> {
    let mut r = Request::new(b"scratch", 0);
    r.set_uuid("CCDM-0-scratch");
    r.put(AT_TARGETS, &targets.to_le_bytes(), 4);
    r.put(AT_DEV, &(253u64 << 8 | 3).to_le_bytes(), 8);
    r.0.extend_from_slice(data);
    let size = r.0.len() as u32;
    r.put(AT_DATA_SIZE, &size.to_le_bytes(), 4);
    r.0
}

fn with_data(targets: u32, data: Vec<u8>) -> Answer {
    Answer { targets, data, ..Answer::default() }
}

/// A struct dm_target_spec and a line.
fn line(kind: &str, text: &str, sectors: u64) -> Vec<u8> {
    let mut b = vec![0; TARGET_SIZE];
    b[AT_TARGET_LENGTH..AT_TARGET_LENGTH + 8].copy_from_slice(&sectors.to_le_bytes());
    b[AT_TARGET_KIND..AT_TARGET_KIND + kind.len()].copy_from_slice(kind.as_bytes());
    b.extend_from_slice(text.as_bytes());
    b.push(0);
    b
}

/// A struct dm_name_list.
fn named(dev: u64, next: u32, name: &str) -> Vec<u8> {
    [&dev.to_le_bytes()[..], &next.to_le_bytes(), name.as_bytes(), &[0]].concat()
}

/// A struct dm_target_versions.
fn versioned(next: u32, major: u32, name: &str) -> Vec<u8> {
    [&next.to_le_bytes()[..], &major.to_le_bytes(), &[0; 8], name.as_bytes(), &[0]].concat()
}

fn expect_error<T>(what: &str, result: Result<T, String>, text: &str) {
    let e = result.err().unwrap_or_default();
    assert!(e.contains(text), "{}: expected an error with {:?}, found {:?}", what, text, e);
}

#[test]
fn an_answer() {
    let a = Answer::parse(&answer_with(1, &line("ccdm", "state:active", 2048))).expect("an answer");
    assert_eq!(
        (a.name.as_str(), a.uuid.as_str(), a.targets, a.dev),
        ("scratch", "CCDM-0-scratch", 1, 253 << 8 | 3)
    );
    let want = Target { sectors: 2048, kind: "ccdm".into(), line: "state:active".into() };
    assert_eq!(a.target(), Ok(want));
    assert_eq!(Answer::default().target(), Ok(Target::default()));
}

#[test]
fn malformed_answers() {
    expect_error("short", Answer::parse(&[0; HEADER_SIZE - 1]), "expected at least 312 bytes, found 311");
    let mut b = answer_with(0, &[]);
    b[AT_DATA_SIZE..AT_DATA_SIZE + 4].copy_from_slice(&313u32.to_le_bytes());
    expect_error("says too much", Answer::parse(&b), "expected at most 312 bytes, found 313");
    for start in [0, 311, 313, u32::MAX] {
        let mut b = answer_with(0, &[1]);
        b[AT_DATA_START..AT_DATA_START + 4].copy_from_slice(&start.to_le_bytes());
        assert!(Answer::parse(&b).expect("an answer").data.is_empty(), "data at {}", start);
    }
    expect_error(
        "short line",
        with_data(1, vec![0; TARGET_SIZE]).target(),
        "expected more than 40 bytes, found 40",
    );
    let mut endless = line("ccdm", "a", 8);
    endless.pop();
    expect_error("endless line", with_data(1, endless).target(), "expected a NUL");
    // a name, a UUID and a type that fill their field
    let mut b = answer_with(1, &line("tttttttttttttttt", "", 8));
    b[AT_NAME..AT_NAME + NAME_SIZE].fill(b'n');
    b[AT_UUID..AT_UUID + UUID_SIZE].fill(b'u');
    let a = Answer::parse(&b).expect("an answer");
    assert_eq!((a.name.len(), a.uuid.len()), (NAME_SIZE, UUID_SIZE));
    assert_eq!(a.target().expect("a line").kind.len(), TARGET_KIND_SIZE);
}

#[test]
fn names() {
    // the kernel puts more after a name, and aligns
    let two = [named(1, 24, "a"), vec![0; 10], named(2, 0, "bc"), vec![0; 9]].concat();
    for (data, want) in [
        (vec![], vec![]),
        (named(0, 0, ""), vec![]),
        (named(1, 0, "a"), vec![b"a".to_vec()]),
        (two, vec![b"a".to_vec(), b"bc".to_vec()]),
    ] {
        assert_eq!(with_data(0, data).names(), Ok(want));
    }
    let mut endless = named(1, 0, "a");
    endless.pop();
    for (what, data, text) in [
        ("short", vec![0; AT_LIST_NAME], "expected more than 12 bytes, found 12"),
        ("very short", vec![0; 3], "expected more than 12 bytes, found 3"),
        ("endless name", endless, "expected a NUL"),
        ("next: itself", named(1, 12, "a"), "found 12"),
        ("next: the end", named(1, 14, "a"), "found 14"),
        ("next: beyond", named(1, u32::MAX, "a"), "found 4294967295"),
        ("next: short", [named(1, 14, "a"), vec![0; 5]].concat(), "expected more than 12 bytes, found 5"),
    ] {
        expect_error(what, with_data(0, data).names(), text);
    }
}

#[test]
fn versions() {
    let two = [versioned(22, 3, "linea"), versioned(0, 1, "ccdm")].concat();
    assert_eq!(with_data(0, two.clone()).version("ccdm"), Ok(Some(1)));
    assert_eq!(with_data(0, two).version("ccd"), Ok(None));
    assert_eq!(with_data(0, vec![]).version("ccdm"), Ok(None));
    let mut endless = versioned(0, 1, "ccdm");
    endless.pop();
    for (what, data, text) in [
        ("short", vec![0; AT_VERSION_NAME], "expected more than 16 bytes, found 16"),
        ("endless name", endless, "expected a NUL"),
        ("next: itself", versioned(16, 1, "x"), "found 16"),
        ("next: beyond", versioned(18, 1, "x"), "found 18"),
    ] {
        expect_error(what, with_data(0, data).version("ccdm"), text);
    }
}

/// No answer makes the parsers panic or loop: answers that are cut off, and with each byte changed.
#[test]
fn hostile_answers() {
    let lists = [named(1, 24, "a"), vec![0; 10], named(2, 0, "bc")].concat();
    let versions = [versioned(22, 3, "linea"), versioned(0, 1, "ccdm")].concat();
    for good in
        [answer_with(1, &line("ccdm", "state:active", 8)), answer_with(0, &lists), answer_with(1, &versions)]
    {
        let parse = |b: &[u8]| {
            if let Ok(a) = Answer::parse(b) {
                let _ = (a.target(), a.names(), a.version("ccdm"));
            }
        };
        (0..good.len()).for_each(|n| parse(&good[..n]));
        for at in 0..good.len() {
            for x in [0, 1, 0x7f, 0x80, 0xff, good[at] ^ 1, good[at].wrapping_add(1)] {
                let mut b = good.clone();
                b[at] = x;
                parse(&b);
            }
        }
    }
}

#[test]
fn a_request() {
    let r = Request::load(b"t", "ccdm", 24, "1 /dev/vdb 0");
    assert_eq!(r.0[AT_NAME..AT_NAME + 2], *b"t\0");
    let want = Target { sectors: 24, kind: "ccdm".into(), line: "1 /dev/vdb 0".into() };
    assert_eq!(with_data(1, r.0[HEADER_SIZE..].to_vec()).target(), Ok(want));
    // a name that is too long does not run into the next field
    let r = Request::new(&[b'n'; 500], 0);
    assert_eq!(r.0[AT_UUID - 1..AT_UUID + 1], [0, 0]);
}

#[test]
fn device_numbers() {
    assert_eq!(number(253 << 8 | 3), (253, 3));
    assert_eq!(number(0x10_0000 | 253 << 8 | 2), (253, 258));
}
