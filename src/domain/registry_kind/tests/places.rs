//! Where a registry is said to be.

use rstest::rstest;

use super::*;

#[rstest]
#[case::ghcr(Kind::Ghcr, "", "ghcr.io", "ghcr.io")]
#[case::ghcr_owner(Kind::Ghcr, "owner=bytequester", "ghcr.io", "ghcr.io/bytequester/")]
#[case::ghcr_owner_of_two_parts(Kind::Ghcr, "owner=/acme/team/", "ghcr.io", "ghcr.io/acme/team/")]
#[case::ghcr_owner_that_looks_like_the_api(Kind::Ghcr, "owner=v1", "ghcr.io", "ghcr.io/v2/v1/")]
#[case::github_enterprise(
    Kind::Ghcr,
    "host=containers.git.corp.test",
    "containers.git.corp.test",
    "containers.git.corp.test"
)]
#[case::hub(Kind::DockerHub, "", "docker.io", "https://index.docker.io/v1/")]
#[case::hub_by_its_older_name(
    Kind::DockerHub,
    "url=https://index.docker.io/v1/",
    "docker.io",
    "https://index.docker.io/v1/"
)]
#[case::hub_owner(Kind::DockerHub, "owner=acme", "docker.io", "docker.io/acme/")]
#[case::hub_owner_in_the_path(
    Kind::DockerHub,
    "host=index.docker.io/acme",
    "docker.io",
    "docker.io/acme/"
)]
#[case::hub_official_images(Kind::DockerHub, "owner=library", "docker.io", "docker.io/library/")]
#[case::ecr(
    Kind::Ecr,
    "account=123456789012, region=eu-central-1",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
)]
#[case::ecr_in_china(
    Kind::Ecr,
    "account=123456789012, region=cn-north-1, owner=team",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/"
)]
#[case::ecr_in_the_sovereign_cloud(
    Kind::Ecr,
    "account=123456789012, region=eusc-de-east-1",
    "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
    "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu"
)]
#[case::ecr_by_what_aws_answers(
    Kind::Ecr,
    "url=https://123456789012.dkr.ecr.eu-central-1.amazonaws.com, region=eu-central-1",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
)]
#[case::ecr_dual_stack(
    Kind::Ecr,
    "host=123456789012.dkr-ecr.eu-west-1.on.aws",
    "123456789012.dkr-ecr.eu-west-1.on.aws",
    "123456789012.dkr-ecr.eu-west-1.on.aws"
)]
#[case::acr(
    Kind::Acr,
    "loginServer=MyRegistry.azurecr.io",
    "myregistry.azurecr.io",
    "myregistry.azurecr.io"
)]
#[case::gcr(Kind::Gcr, "", "gcr.io", "gcr.io")]
#[case::gcr_of_europe(Kind::Gcr, "host=eu.gcr.io, owner=p", "eu.gcr.io", "eu.gcr.io/p/")]
#[case::gar(
    Kind::Gar,
    "region=europe-west3, owner=p/r",
    "europe-west3-docker.pkg.dev",
    "europe-west3-docker.pkg.dev/p/r/"
)]
#[case::gar_of_many_regions(Kind::Gar, "region=us", "us-docker.pkg.dev", "us-docker.pkg.dev")]
#[case::quay(Kind::Quay, "owner=acme", "quay.io", "quay.io/acme/")]
#[case::quay_of_ones_own(
    Kind::Quay,
    "host=quay.corp.test:8443",
    "quay.corp.test:8443",
    "quay.corp.test:8443"
)]
#[case::custom(Kind::Custom, "host=r.test:5000", "r.test:5000", "r.test:5000")]
#[case::custom_path(Kind::Custom, "host=r.test/team", "r.test", "r.test/team/")]
#[case::custom_path_and_owner(
    Kind::Custom,
    "host=r.test/team, owner=a",
    "r.test",
    "r.test/team/a/"
)]
#[case::custom_path_said_twice(
    Kind::Custom,
    "host=r.test/team, owner=team",
    "r.test",
    "r.test/team/"
)]
#[case::custom_url(
    Kind::Custom,
    "url=HTTPS://R.test:5000/v2/Team/",
    "r.test:5000",
    "r.test:5000/team/"
)]
#[case::custom_hub(
    Kind::Custom,
    "host=index.docker.io",
    "docker.io",
    "https://index.docker.io/v1/"
)]
#[case::localhost(Kind::Custom, "host=localhost", "localhost", "localhost")]
#[case::ip_version_6(
    Kind::Custom,
    "host=[fd00::1]:5000",
    "[fd00::1]:5000",
    "[fd00::1]:5000"
)]
#[case::public(
    Kind::Public,
    "host=registry.k8s.io",
    "registry.k8s.io",
    "registry.k8s.io"
)]
fn is_at(#[case] kind: Kind, #[case] spec: &'static str, #[case] host: &str, #[case] key: &str) {
    let place = place(kind, spec);
    assert_eq!((&*place.host, &*place.key), (host, key));
}

#[rstest]
#[case::nothing(Kind::Ghcr, "", &[])]
#[case::an_owner_in_upper_case(
    Kind::Ghcr,
    "owner=ByteQuester",
    &["spec.owner: ByteQuester is lowered to bytequester"]
)]
#[case::a_replica_of_acr(Kind::Acr, "host=x.eastus.geo.azurecr.io", &[])]
#[case::a_slash(Kind::Quay, "host=quay.io/", &["spec.host: read as quay.io"])]
#[case::a_url(Kind::Custom, "url=https://r.test/v2/", &["spec.url: read as r.test"])]
#[case::plain_http(
    Kind::Custom,
    "url=http://r.test:5000",
    &["spec.url: read as r.test:5000", "spec.url: http:// is not kept"]
)]
#[case::a_path_in_upper_case(Kind::Custom, "host=r.test/Team", &["spec.host: read as r.test/team"])]
#[case::the_default_port(
    Kind::Custom,
    "host=r.test:443",
    &["spec.host: only images that spell the port match r.test:443: write r.test"]
)]
#[case::another_name_of_hub(
    Kind::DockerHub,
    "host=registry-1.docker.io",
    &["spec.host: images spell Docker Hub docker.io"]
)]
#[case::a_host_that_nobody_knows(
    Kind::Ghcr,
    "host=ghcr.corp.test",
    &["spec.host: GHCR is not known to be at ghcr.corp.test: the credential is sent there"]
)]
#[case::a_proxy_of_ecr(
    Kind::Ecr,
    "host=ecr.corp.test, region=eu-west-1",
    &["spec.host: ECR is not known to be at ecr.corp.test"]
)]
#[case::fields_of_other_kinds(
    Kind::Quay,
    "account=123456789012, region=us",
    &["spec.account: says nothing for Quay", "spec.region: says nothing for Quay"]
)]
fn is_told(#[case] kind: Kind, #[case] spec: &'static str, #[case] expected: &[&str]) {
    let notes: Vec<String> = place(kind, spec)
        .notes
        .iter()
        .map(Hint::to_string)
        .collect();
    hold(&notes, expected);
}

#[test]
fn ecr_without_an_account_waits_for_that_of_the_credential() {
    let ecr = wanted(Kind::Ecr, "region=eu-central-1, owner=team");
    assert_eq!(ecr.place(), Ok(Located::OfAccount));
    let place = ecr.place_of(ACCOUNT).unwrap();
    assert_eq!(
        place.key,
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/"
    );
    let problem = ecr.place_of("12").unwrap_err();
    assert_eq!(problem.about, Field::Account);
    let broken = wanted(Kind::Ecr, "region=eu-central-1, owner=a//b");
    assert_eq!(broken.place().unwrap_err().about, Field::Owner);
}

#[test]
fn an_account_that_lets_the_credential_in_goes_first() {
    let ecr = wanted(Kind::Ecr, "region=eu-central-1, account=210987654321");
    let place = ecr.place_of(ACCOUNT).unwrap();
    assert_eq!(
        place.host,
        "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
    );
}

#[rstest]
#[case::a_region("region=eu-central-1", Some(("eu-central-1", "api.ecr.eu-central-1.amazonaws.com")))]
#[case::china("region=cn-north-1", Some(("cn-north-1", "api.ecr.cn-north-1.amazonaws.com.cn")))]
#[case::a_host(
    "host=123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    Some(("eu-west-1", "api.ecr.eu-west-1.amazonaws.com"))
)]
#[case::fips(
    "host=123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
    Some(("us-gov-west-1", "ecr-fips.us-gov-west-1.amazonaws.com"))
)]
#[case::a_path_for_a_region("region=x/y", None)]
#[case::none("", None)]
fn passwords_of_ecr_are_made_at(
    #[case] spec: &'static str,
    #[case] expected: Option<(&str, &str)>,
) {
    let service = wanted(Kind::Ecr, spec).token_service();
    let found = service
        .as_ref()
        .map(|service| (&*service.region, &*service.host));
    assert_eq!(found, expected);
}

#[rstest]
#[case::plain(
    "region=eu-central-1",
    false,
    false,
    "api.ecr.eu-central-1.amazonaws.com"
)]
#[case::fips("region=us-east-1", true, false, "ecr-fips.us-east-1.amazonaws.com")]
#[case::ipv6("region=eu-central-1", false, true, "ecr.eu-central-1.api.aws")]
#[case::both("region=us-east-1", true, true, "ecr-fips.us-east-1.api.aws")]
#[case::ipv6_in_china(
    "region=cn-north-1",
    false,
    true,
    "ecr.cn-north-1.api.amazonwebservices.com.cn"
)]
#[case::no_ipv6(
    "region=us-iso-east-1",
    false,
    true,
    "api.ecr.us-iso-east-1.c2s.ic.gov"
)]
fn hosts_that_awss_variables_want(
    #[case] spec: &'static str,
    #[case] fips: bool,
    #[case] dual_stack: bool,
    #[case] host: &str,
) {
    let service = wanted(Kind::Ecr, spec).token_service().unwrap();
    assert_eq!(service.host_for(fips, dual_stack), host);
}

#[test]
fn other_kinds_have_no_token_service() {
    assert_eq!(
        wanted(Kind::Gar, "region=eu-central-1").token_service(),
        None
    );
}

#[rstest]
#[case::at_amazon("account=123456789012, region=eu-central-1", true)]
#[case::at_amazon_by_its_host("host=123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", true)]
#[case::at_a_proxy("host=ecr.corp.test, region=eu-west-1", false)]
#[case::at_a_host_that_looks_like_it(
    "host=123456789012.dkr.ecr.eu-west-1.amazonaws.com.thief.test, region=eu-west-1",
    false
)]
fn cotters_own_identity_is_for_amazon(#[case] spec: &'static str, #[case] allowed: bool) {
    let wanted = wanted(Kind::Ecr, spec);
    let Ok(Located::At(place)) = wanted.place() else {
        assert!(!allowed, "{spec}");
        return;
    };
    assert_eq!(wanted.may_use_own_identity(&place).is_ok(), allowed);
}
