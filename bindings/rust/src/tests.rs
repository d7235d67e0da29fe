// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

use super::*;

fn good() -> Options {
    Options {
        device: "/dev/vdb".into(),
        name: "n".repeat(90),
        uuid: Some("0123456789abcdef0123456789abcdef".into()),
        size: Some(4096),
        ..Options::default()
    }
}

#[test]
fn options() {
    good().check().expect("good options");
    assert_eq!("CCDM-".len() + 32 + "-".len() + good().name.len(), dm::UUID_SIZE - 1);
    let cases: [(&str, fn(&mut Options)); 13] = [
        ("name: expected 1 to 90", |o| o.name.clear()),
        ("#+-.:=@_, found \"nnn", |o| o.name.push('n')),
        ("found \"a/b\"", |o| o.name = "a/b".into()),
        ("found \"..\"", |o| o.name = "..".into()),
        ("found \"control\"", |o| o.name = "control".into()),
        ("device: expected a path", |o| o.device.clear()),
        ("found \"/dev/a b\"", |o| o.device = "/dev/a b".into()),
        ("found \"/dev/a\\0\"", |o| o.device = "/dev/a\0".into()),
        ("origin: expected a path", |o| o.origin = Some("/dev/a\\b".into())),
        ("size: expected a multiple of 4096 bytes, found 4097", |o| o.size = Some(4097)),
        ("size: expected a multiple of 4096 bytes, found 0", |o| o.size = Some(0)),
        ("uuid: expected 32 hexadecimal", |o| o.uuid = Some("0123".into())),
        ("\"0123456789ABCDEF", |o| o.uuid = o.uuid.take().map(|x| x.to_uppercase())),
    ];
    for (text, change) in cases {
        let mut o = good();
        change(&mut o);
        let e = o.check().expect_err(text);
        assert!(e.to_string().contains(text), "expected {:?}, found {}", text, e);
        assert_eq!((e.kind(), e.errno()), (Kind::Invalid, EINVAL));
        assert_eq!(io::Error::from(e).kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn table_lines() {
    let device = || Options { device: "/dev/vdb".into(), ..Options::default() };
    for (o, want) in [
        (device(), "1 /dev/vdb 0"),
        (
            Options { cipher: Some(Cipher::AesGcm), cache_mib: Some(4), ..device() },
            "1 /dev/vdb 2 cipher:aes-gcm cache_mib:4",
        ),
        (
            Options {
                cipher: Some(Cipher::AesXtsHmacSha256),
                on_tamper: Some(OnTamper::Eio),
                origin: Some("/dev/vdc".into()),
                allow_discards: true,
                allow_kdump: true,
                ..device()
            },
            "1 /dev/vdb 5 cipher:aes-xts-hmac-sha256 on_tamper:eio origin:/dev/vdc allow_discards allow_kdump",
        ),
        (
            Options { cipher: Some(Cipher::AesXtsGmac), on_tamper: Some(OnTamper::PowerOff), ..device() },
            "1 /dev/vdb 2 cipher:aes-xts-gmac on_tamper:poweroff",
        ),
        (Options { on_tamper: Some(OnTamper::Panic), ..device() }, "1 /dev/vdb 1 on_tamper:panic"),
    ] {
        assert_eq!(o.params(), want);
    }
}

#[test]
fn sizes() {
    for (device, size, want) in [
        (8192, None, Ok(1)),
        (4096 * 131 + 4095, None, Ok(128)),
        (4096 * 131, Some(4096 * 128), Ok(128)),
        (4096 * 131, Some(4096 * 129), Err(ENOSPC)),
        (8191, None, Err(ENOSPC)),
        (0, None, Err(ENOSPC)),
    ] {
        let o = Options { size, ..good() };
        assert_eq!(o.blocks(device).map_err(|e| e.errno()), want, "{} bytes, size {:?}", device, size);
    }
}

#[test]
fn words() {
    let words = parse_words("state:active pages:8/16 later:a:b alone  empty: state:failed");
    let want = [("empty", ""), ("later", "a:b"), ("pages", "8/16"), ("state", "active")];
    assert!(words.iter().map(|(a, b)| (a.as_str(), b.as_str())).eq(want), "{:?}", words);
    for (line, want) in
        [("state:active", true), ("state:tampered", false), ("state:later", false), ("", false)]
    {
        let m = Mapping { words: parse_words(line), ..Mapping::default() };
        assert_eq!(m.is_active(), want, "{:?}", line);
    }
}

#[test]
fn random_numbers() {
    assert_ne!(sys::random().expect("random numbers"), sys::random().expect("random numbers"));
}

#[test]
fn names_of_mappings() {
    for name in ["", "a\0b", &"n".repeat(dm::NAME_SIZE)] {
        assert_eq!(status(name).expect_err("an error").kind(), Kind::Invalid, "{:?}", name);
        assert_eq!(close(name, true).expect_err("an error").kind(), Kind::Invalid, "{:?}", name);
    }
}
