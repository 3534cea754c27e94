use super::*;
use rstest::rstest;

fn judged(host: &str) -> Result<(), Forbidden> {
    match Guard::check_name(host, false)? {
        Named::Address(address) => Guard::default().check_address(address, false),
        Named::Name(_) => Ok(()),
    }
}

#[rstest]
#[case::unspecified("0.0.0.0")]
#[case::this_network("0.1.2.3")]
#[case::ten("10.0.0.1")]
#[case::carrier_first("100.64.0.0")]
#[case::carrier_last("100.127.255.255")]
#[case::loopback("127.0.0.1")]
#[case::loopback_other("127.255.0.1")]
#[case::link_local("169.254.1.1")]
#[case::metadata("169.254.169.254")]
#[case::metadata_ecs("169.254.170.2")]
#[case::metadata_alibaba("100.100.100.200")]
#[case::metadata_azure("168.63.129.16")]
#[case::private_172_first("172.16.0.0")]
#[case::private_172_last("172.31.255.255")]
#[case::assignments("192.0.0.8")]
#[case::documentation_1("192.0.2.1")]
#[case::documentation_2("198.51.100.1")]
#[case::documentation_3("203.0.113.1")]
#[case::relay_6to4("192.88.99.1")]
#[case::private_192("192.168.1.1")]
#[case::benchmarks_first("198.18.0.1")]
#[case::benchmarks_last("198.19.255.255")]
#[case::multicast("224.0.0.1")]
#[case::reserved("240.0.0.1")]
#[case::broadcast("255.255.255.255")]
#[case::v6_unspecified("[::]")]
#[case::v6_loopback("[::1]")]
#[case::v6_compatible("[::127.0.0.1]")]
#[case::v6_compatible_public("[::8.8.8.8]")]
#[case::v6_mapped("[::ffff:127.0.0.1]")]
#[case::v6_mapped_hex("[::ffff:a9fe:a9fe]")]
#[case::v6_mapped_long("[0:0:0:0:0:ffff:a9fe:a9fe]")]
#[case::v6_mapped_upper("[::FFFF:A9FE:A9FE]")]
#[case::v6_mapped_private("[::ffff:10.1.2.3]")]
#[case::v6_siit("[::ffff:0:10.1.2.3]")]
#[case::nat64_metadata("[64:ff9b::169.254.169.254]")]
#[case::nat64_private("[64:ff9b::a00:1]")]
#[case::nat64_azure("[64:ff9b::168.63.129.16]")]
#[case::nat64_local("[64:ff9b:1::808:808]")]
#[case::six_to_four_loopback("[2002:7f00:1::1]")]
#[case::six_to_four_private("[2002:c0a8:101::1]")]
#[case::teredo("[2001:0:4136:e378:8000:63bf:3fff:fdd2]")]
#[case::orchid("[2001:20::1]")]
#[case::v6_documentation("[2001:db8::1]")]
#[case::v6_documentation_new("[3fff::1]")]
#[case::discard("[100::1]")]
#[case::segment_routing("[5f00::1]")]
#[case::ula("[fc00::1]")]
#[case::ula_d("[fd12:3456::1]")]
#[case::metadata_v6("[fd00:ec2::254]")]
#[case::metadata_v6_google("[fd20:ce::254]")]
#[case::v6_link_local("[fe80::1]")]
#[case::v6_link_local_with_zone("[fe80::1%25eth0]")]
#[case::site_local("[fec0::1]")]
#[case::v6_multicast("[ff02::1]")]
#[case::hex_dotted("0xa9.0xfe.0xa9.0xfe")]
#[case::octal_dotted("0251.0376.0251.0376")]
#[case::short("127.1")]
#[case::short_three("127.0.1")]
#[case::one_number("2852039166")]
#[case::one_hex_number("0xa9fea9fe")]
#[case::one_hex_number_upper("0XA9FEA9FE")]
#[case::mixed("0xa9.254.0251.254")]
#[case::empty_hex("0x")]
#[case::number_with_dot("2852039166.")]
#[case::address_with_dot("127.0.0.1.")]
#[case::five_numbers("1.2.3.4.5")]
#[case::localhost("localhost")]
#[case::localhost_upper("LOCALHOST")]
#[case::below_localhost("registry.localhost")]
#[case::localhost_with_dot("localhost.")]
#[case::service("kubernetes.default.svc")]
#[case::service_in_full("kubernetes.default.svc.cluster.local")]
#[case::service_of_another_domain("registry.kube-system.svc.corp.example")]
#[case::cluster_pod("10-0-0-1.default.pod.cluster.local")]
#[case::google_metadata("metadata.google.internal")]
#[case::google_metadata_with_dot("metadata.google.internal.")]
#[case::google_metadata_short("metadata.goog")]
#[case::metadata_name("metadata")]
#[case::ec2_metadata("instance-data.ec2.internal")]
#[case::one_label("registry")]
#[case::empty("")]
#[case::empty_label("a..b")]
fn refuses(#[case] host: &str) {
    assert!(judged(host).is_err(), "{host}");
}

#[rstest]
#[case::public("93.184.216.34")]
#[case::next_to_carrier("100.63.255.255")]
#[case::next_to_172("172.32.0.1")]
#[case::next_to_benchmarks("198.20.0.1")]
#[case::v6_public("[2606:4700::6810:1]")]
#[case::mapped_public("[::ffff:93.184.216.34]")]
#[case::nat64_public("[64:ff9b::5db8:d822]")]
#[case::six_to_four_public("[2002:5db8:d822::1]")]
#[case::name("ghcr.io")]
#[case::name_with_dot("ghcr.io.")]
#[case::digits_first("1password.example")]
#[case::svc_first("svc.example.com")]
#[case::internal_with_a_public_address("registry.corp.internal")]
fn lets_pass(#[case] host: &str) {
    assert_eq!(judged(host), Ok(()), "{host}");
}

#[rstest]
#[case::service("registry.tools.svc", true)]
#[case::one_label("registry", true)]
#[case::localhost("localhost", true)]
#[case::disguise("127.1", false)]
#[case::metadata("metadata.google.internal", false)]
fn a_listed_host_may_have_such_a_name(#[case] host: &str, #[case] expected: bool) {
    assert_eq!(Guard::check_name(host, true).is_ok(), expected, "{host}");
}

#[rstest]
#[case::loopback("127.0.0.1", true)]
#[case::private("10.0.0.1", true)]
#[case::ula("fd12::1", true)]
#[case::denied_range("8.8.8.8", true)]
#[case::metadata("169.254.169.254", false)]
#[case::metadata_mapped("::ffff:169.254.169.254", false)]
#[case::metadata_ula("fd00:ec2::254", false)]
fn a_listed_host_may_be_private(#[case] address: IpAddr, #[case] expected: bool) {
    let guard = Guard {
        deny: vec!["8.8.8.0/24".parse().unwrap()],
        allow: Vec::new(),
    };
    assert_eq!(guard.check_address(address, true).is_ok(), expected);
}

#[rstest]
#[case::allowed("10.1.0.1", true)]
#[case::allowed_mapped("::ffff:10.1.0.1", true)]
#[case::allowed_by_nat64("64:ff9b::10.1.0.1", true)]
#[case::not_allowed("10.2.0.1", false)]
#[case::denied_within_allowed("10.1.96.1", false)]
#[case::denied_public("8.8.8.8", false)]
#[case::denied_public_mapped("::ffff:8.8.8.8", false)]
#[case::denied_public_v6("2606:4700::1", false)]
#[case::public("8.8.4.4", true)]
fn configured_ranges(#[case] address: IpAddr, #[case] expected: bool) {
    let nets = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect();
    let guard = Guard {
        deny: nets(&["10.1.96.0/20", "8.8.8.0/24", "2606:4700::/32"]),
        allow: nets(&["10.1.0.0/16"]),
    };
    assert_eq!(guard.check_address(address, false).is_ok(), expected);
}
