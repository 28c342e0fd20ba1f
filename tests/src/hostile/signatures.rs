//! The mathematics of signatures.

use portcullis::Algorithm;
use portcullis_testkit::TokenBuilder;

use crate::{Row, Setting, encode, public_key::tlv};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [ecdsa(setting), rsa(setting), hmac(setting), ed25519(setting), parts_of_two_tokens(setting)]
        .concat()
}

/// The order of the group of P-256.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of the group of Ed25519, the lowest byte first.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Rows for one good token, each with other bytes in place of its signature.
fn spoiled(
    setting: &Setting,
    token: &TokenBuilder,
    stands_for: &'static str,
    signatures: Vec<(&str, Vec<u8>)>,
) -> Vec<Row> {
    let row = |(what, signature): (&str, Vec<u8>)| {
        let phrase = format!("the signature of {what}");
        let token = token.clone().signature(signature);
        Row::rejected(&setting.mixed, phrase, stands_for, token, "signature_mismatch")
    };
    signatures.into_iter().map(row).collect()
}

fn signature_of(setting: &Setting, token: &TokenBuilder, algorithm: Algorithm) -> Vec<u8> {
    let text = token.build();
    let (signing_input, _) = text.rsplit_once('.').expect("a signature");
    setting.issuer.key(algorithm).sign(signing_input.as_bytes())
}

fn ecdsa(setting: &Setting) -> Vec<Row> {
    let token = setting.valid();
    let good = signature_of(setting, &token, Algorithm::ES256);
    let (r, s) = good.split_at(32);
    let zero = [0; 32];
    let one = {
        let mut one = zero;
        one[31] = 1;
        one
    };
    let over = {
        let mut over = N;
        over[31] += 1;
        over
    };
    let pair = |r: &[u8], s: &[u8]| [r, s].concat();
    // As DER writes a number whose first bit is set; here before any number.
    let positive = |value: &[u8]| [&[0][..], value].concat();
    let der = tlv(0x30, &[tlv(2, &positive(r)), tlv(2, &positive(s))].concat());
    let huge = tlv(0x30, &[tlv(2, &[0x7f; 300]), tlv(2, &[0x7f; 300])].concat());
    let mut rows = spoiled(
        setting,
        &token,
        "§5 CVE-2022-21449",
        vec![
            ("ES256 is r = s = 0", pair(&zero, &zero)),
            ("ES256 has r = 0", pair(&zero, s)),
            ("ES256 has s = 0", pair(r, &zero)),
            ("ES256 is r = s = 1", pair(&one, &one)),
            ("ES256 has r = n", pair(&N, s)),
            ("ES256 has s = n", pair(r, &N)),
            ("ES256 is r = s = n", pair(&N, &N)),
            ("ES256 is r = n, s = 0", pair(&N, &zero)),
            ("ES256 has r = n + 1", pair(&over, s)),
            ("ES256 has s = n + 1", pair(r, &over)),
            ("ES256 is all ones", vec![0xff; 64]),
        ],
    );
    rows.extend(spoiled(
        setting,
        &token,
        "§9 ES256 signatures, HAProxy (2026)",
        vec![
            ("ES256 is in DER", der),
            ("ES256 is in DER, both integers 300 bytes long", huge),
            ("ES256 has 63 bytes", good[..63].to_vec()),
            ("ES256 has 65 bytes", pair(&good, &[0])),
            ("ES256 has 65 bytes, the first one zero", pair(&[0], &good)),
            ("ES256 has r alone", r.to_vec()),
            ("ES256 has one byte", vec![1]),
            ("ES256 is there twice", pair(&good, &good)),
            ("ES256 has r and s the other way round", pair(s, r)),
            ("ES256 has each half after a zero byte", [&[0], r, &[0], s].concat()),
            ("ES256 has 8,000 bytes", vec![7; 8_000]),
        ],
    ));
    for (algorithm, width) in [(Algorithm::ES384, 96), (Algorithm::ES512, 132)] {
        let token = setting.valid().algorithm(algorithm);
        let good = signature_of(setting, &token, algorithm);
        let name = |what: &str| format!("{algorithm} {what}");
        let (zeros, short) = (name("is r = s = 0"), name("lacks its last byte"));
        let (long, ones) = (name("has a byte too many"), name("is all ones"));
        rows.extend(spoiled(
            setting,
            &token,
            "§5 CVE-2022-21449",
            vec![
                (&zeros, vec![0; width]),
                (&short, good[..width - 1].to_vec()),
                (&long, pair(&good, &[0])),
                (&ones, vec![0xff; width]),
            ],
        ));
    }
    rows
}

fn rsa(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for algorithm in [Algorithm::RS256, Algorithm::PS256] {
        let token = setting.valid().algorithm(algorithm);
        let good = signature_of(setting, &token, algorithm);
        let mut flipped = good.clone();
        flipped[255] ^= 1;
        let one: Vec<u8> = [vec![0; 255], vec![1]].concat();
        for (what, signature) in [
            ("lacks its last byte", good[..255].to_vec()),
            ("lacks its first byte", good[1..].to_vec()),
            ("has half its length", good[..128].to_vec()),
            ("has a zero byte in front", [&[0], &*good].concat()),
            ("has a zero byte behind", [&*good, &[0]].concat()),
            ("has one bit flipped", flipped),
            ("is zero", vec![0; 256]),
            ("is one", one),
            ("is all ones", vec![0xff; 256]),
        ] {
            let name = format!("{algorithm} {what}");
            let signatures = vec![(name.as_str(), signature)];
            rows.extend(spoiled(setting, &token, "§5 RSA signatures", signatures));
        }
    }
    // One modulus, so that only the padding differs.
    let token = setting.valid().algorithm(Algorithm::RS256);
    let other = signature_of(setting, &token, Algorithm::PS256);
    let longer = signature_of(setting, &token, Algorithm::RS512);
    rows.extend(spoiled(
        setting,
        &token,
        "§5 RSA signatures",
        vec![("RS256 is one of PS256", other), ("RS256 is one of RS512", longer)],
    ));
    rows
}

fn hmac(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().key(&setting.secret);
    let text = token.build();
    let (signing_input, _) = text.rsplit_once('.').expect("a signature");
    let good = setting.secret.sign(signing_input.as_bytes());
    spoiled(
        setting,
        &token,
        "§5 CVE-2016-7036, §9 HMAC truncated",
        vec![
            ("HS256 has one byte", good[..1].to_vec()),
            ("HS256 has 16 bytes", good[..16].to_vec()),
            ("HS256 has 31 bytes", good[..31].to_vec()),
            ("HS256 has 33 bytes", [&*good, &[0]].concat()),
            ("HS256 is zero", vec![0; 32]),
            (
                "HS256 is in hexadecimal",
                good.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect(),
            ),
        ],
    )
}

fn ed25519(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().algorithm(Algorithm::EdDSA);
    let good = signature_of(setting, &token, Algorithm::EdDSA);
    let (r, s) = good.split_at(32);
    let mut flipped = good.clone();
    flipped[63] ^= 0x80;
    let mut low = good.clone();
    low[32] ^= 1;
    let mut identity = vec![0; 64];
    identity[0] = 1;
    spoiled(
        setting,
        &token,
        "§5 Ed25519 signatures",
        vec![
            ("Ed25519 has the highest bit of S flipped", flipped),
            ("Ed25519 has the lowest bit of S flipped", low),
            ("Ed25519 has S + L", [r, &sum(s, &L)].concat()),
            ("Ed25519 has S = L", [r, &L].concat()),
            ("Ed25519 has S = 0", [r, &[0; 32]].concat()),
            ("Ed25519 is zero", vec![0; 64]),
            ("Ed25519 is the neutral element and S = 0", identity),
            ("Ed25519 has 63 bytes", good[..63].to_vec()),
            ("Ed25519 has 65 bytes", [&*good, &[0]].concat()),
            ("Ed25519 has its halves the other way round", [s, r].concat()),
        ],
    )
}

/// Adds two numbers, the lowest byte first.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let digit = |(a, b): (&u8, &u8)| {
        let [low, high] = (u16::from(*a) + u16::from(*b) + carry).to_le_bytes();
        carry = u16::from(high);
        low
    };
    a.iter().zip(b).map(digit).collect()
}

fn parts_of_two_tokens(setting: &Setting) -> Vec<Row> {
    let [alice, bob] = ["alice", "bob"].map(|subject| setting.valid().subject(subject).build());
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (alice, bob) = (parts(&alice), parts(&bob));
    let other_header = encode(r#"{"kid":"es256","alg":"ES256"}"#);
    let row = |name: &str, token: [&str; 3]| {
        let stands_for = "§5 parts of two tokens";
        Row::rejected(&setting.plain, name, stands_for, token.join("."), "signature_mismatch")
    };
    vec![
        row(
            "the claims of one token and the signature of another",
            [&alice[0], &bob[1], &alice[2]],
        ),
        row("the header says the same in other words", [&other_header, &alice[1], &alice[2]]),
        row(
            "the claims are those of an admin",
            [&alice[0], &encode(r#"{"iss":"https://idp.test","sub":"admin"}"#), &alice[2]],
        ),
    ]
}
