//! Where no registry can be.

use rstest::rstest;

use super::*;

#[rstest]
#[case::no_host(Kind::Acr, "", "spec.host: missing: write the registry's login server")]
#[case::no_host_of_any(Kind::Custom, "", "spec.host: missing: write the registry's host")]
#[case::no_public_host(Kind::Public, "", "spec.host: missing: write the registry's host")]
#[case::no_region(Kind::Ecr, "", "spec.region: missing: write the registry's region")]
#[case::no_location(Kind::Gar, "", "spec.region: missing: write the location")]
#[case::two_hosts(
    Kind::Acr,
    "host=a.azurecr.io, url=https://a.azurecr.io",
    "spec.url: spec.host says the same"
)]
#[case::empty(Kind::Custom, "host=", "spec.host: empty: name the registry's host")]
#[case::upper_case(
    Kind::Custom,
    "host=R.test/Team",
    "spec.host: images spell their host in lower case: write r.test/team"
)]
#[case::a_scheme(
    Kind::Custom,
    "host=https://r.test/v2/",
    "spec.host: a host has no scheme: write r.test"
)]
#[case::another_scheme(
    Kind::Custom,
    "url=ftp://r.test",
    "spec.url: only https:// has a meaning"
)]
#[case::a_wildcard(
    Kind::Custom,
    "host=*.test",
    "spec.host: a wildcard would send the credential"
)]
#[case::a_class(
    Kind::Custom,
    "host=r[a-z].test",
    "spec.host: no image can have such a host"
)]
#[case::a_query(
    Kind::Custom,
    "url=https://r.test?x",
    "spec.url: ? and # have no place in a host"
)]
#[case::a_tag(Kind::Custom, "host=r.test/app:1", "spec.host: a tag names one image")]
#[case::a_tag_for_a_port(
    Kind::Custom,
    "host=r.test:latest",
    "spec.host: what follows the colon is no port"
)]
#[case::port_nought(
    Kind::Custom,
    "host=r.test:0",
    "spec.host: what follows the colon is no port"
)]
#[case::a_digest(
    Kind::Custom,
    "host=r.test/app@sha256:00",
    "spec.host: a digest names one image"
)]
#[case::white_space(
    Kind::Custom,
    "host=r.test\n",
    "spec.host: white space or a control character"
)]
#[case::no_dot(
    Kind::Custom,
    "host=registry",
    "spec.host: an image registry/app is Docker Hub's"
)]
#[case::an_underscore(
    Kind::Custom,
    "host=my_host.test",
    "spec.host: no image can have such a host"
)]
#[case::beyond_ascii(
    Kind::Custom,
    "host=bücher.test",
    "spec.host: no image can have such a host"
)]
#[case::ip_version_6_alone(
    Kind::Custom,
    "host=[fd00::1]",
    "spec.host: no image matches the key [fd00::1]"
)]
#[case::a_path_that_no_image_has(
    Kind::Custom,
    "host=r.test/a/../b",
    "spec.host: no image's path begins so"
)]
#[case::owner_empty(Kind::Ghcr, "owner=/", "spec.owner: empty: leave it out")]
#[case::owner_with_the_host(
    Kind::Ghcr,
    "owner=ghcr.io/acme",
    "spec.owner: an owner is what follows the host"
)]
#[case::owner_as_a_url(
    Kind::Ghcr,
    "owner=https://github.com/acme",
    "spec.owner: an owner is what follows the host"
)]
#[case::owner_with_a_wildcard(Kind::Ghcr, "owner=acme-*", "spec.owner: an owner has no wildcards")]
#[case::owner_with_a_tag(Kind::Ghcr, "owner=acme/app:1", "spec.owner: an owner has no tag")]
#[case::owner_that_no_image_has(Kind::Ghcr, "owner=-acme", "spec.owner: no image's path begins so")]
#[case::owner_with_an_empty_part(Kind::Ghcr, "owner=a//b", "spec.owner: no image's path begins so")]
#[case::of_another_kind(
    Kind::Ghcr,
    "host=quay.io",
    "spec.host: quay.io is a host of Quay and not of GHCR"
)]
#[case::mirror_of_hub(
    Kind::DockerHub,
    "host=mirror.test",
    "spec.host: mirror.test is not Docker Hub's"
)]
#[case::hub_with_a_port(
    Kind::DockerHub,
    "host=docker.io:443",
    "spec.host: images of Docker Hub have no port"
)]
#[case::page_of_hub(
    Kind::DockerHub,
    "url=https://hub.docker.com/u/acme",
    "spec.url: an image's path does not begin like that page's"
)]
#[case::ecr_of_another_account(
    Kind::Ecr,
    "host=123456789012.dkr.ecr.eu-west-1.amazonaws.com, account=210987654321",
    "spec.host: of another account than spec.account: the host names 123456789012"
)]
#[case::ecr_of_another_region(
    Kind::Ecr,
    "host=123456789012.dkr.ecr.eu-west-1.amazonaws.com, region=eu-west-2",
    "spec.host: of another region than spec.region: the host names eu-west-1"
)]
#[case::ecr_of_eleven_figures(
    Kind::Ecr,
    "host=12345678901.dkr.ecr.eu-west-1.amazonaws.com",
    "spec.host: no host of a private registry"
)]
#[case::ecr_public(
    Kind::Ecr,
    "host=public.ecr.aws",
    "spec.host: public.ecr.aws is Amazon's public registry"
)]
#[case::ecr_proxy_without_a_region(
    Kind::Ecr,
    "host=ecr.corp.test",
    "spec.region: missing: ecr.corp.test"
)]
#[case::account_with_dashes(
    Kind::Ecr,
    "account=1234-5678-9012, region=eu-west-1",
    "spec.account: no account of AWS: twelve figures"
)]
#[case::an_availability_zone(
    Kind::Ecr,
    "region=eu-west-1a",
    "spec.region: eu-west-1a is an availability zone: write its region, eu-west-1"
)]
#[case::a_region_in_words(
    Kind::Ecr,
    "region=Europe (Frankfurt)",
    "spec.region: no region of AWS"
)]
#[case::acr_without_a_name(
    Kind::Acr,
    "host=azurecr.io",
    "spec.host: the registry's name is missing"
)]
#[case::acr_name_alone(
    Kind::Acr,
    "loginServer=myregistry",
    "spec.loginServer: an image myregistry/app is Docker Hub's"
)]
#[case::acr_of_layers(
    Kind::Acr,
    "host=x.eastus.data.azurecr.io",
    "spec.host: layers come from there"
)]
#[case::gar_zone(
    Kind::Gar,
    "region=europe-west3-a",
    "spec.region: europe-west3-a is a zone: write its region, europe-west3"
)]
#[case::gar_host_for_a_region(
    Kind::Gar,
    "region=europe-west3-docker.pkg.dev",
    "spec.region: no location of Google"
)]
#[case::gar_of_another_location(
    Kind::Gar,
    "host=us-docker.pkg.dev, region=europe",
    "spec.host: of another location than spec.region, europe"
)]
#[case::gar_for_python(
    Kind::Gar,
    "host=us-python.pkg.dev, region=us",
    "spec.host: no images are at us-python.pkg.dev"
)]
fn is_refused(#[case] kind: Kind, #[case] spec: &'static str, #[case] expected: &str) {
    let problem = wanted(kind, spec).place().unwrap_err().to_string();
    assert!(problem.starts_with(expected), "{problem}");
    assert!(!problem.contains(char::is_control), "{problem:?}");
}

#[test]
fn a_password_in_the_host_is_not_repeated() {
    for spec in [
        "host=https://bot:hunter2@r.test",
        "url=https://bot:hunter2@r.test",
        "host=bot:hunter2@r.test",
    ] {
        let problem = wanted(Kind::Custom, spec).place().unwrap_err().to_string();
        assert!(
            problem.contains("a user or password does not belong here"),
            "{problem}"
        );
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}
