"""Makes geo.mmdb and asn.mmdb beside it: a few networks, as files of cities and of autonomous systems, for tests. Needs `pip install mmdb-writer netaddr`."""

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Livemeter-Test-City", languages=["en"])
BERLIN = {"country": {"iso_code": "DE", "names": {"en": "Germany"}}, "subdivisions": [{"iso_code": "BE", "names": {"en": "Land Berlin"}}]}
writer.insert_network(IPSet(["127.0.0.0/8", "192.0.2.0/24"]), BERLIN)
writer.insert_network(IPSet(["2001:db8::/32"]), {"country": {"iso_code": "CN"}})
writer.insert_network(IPSet(["198.51.100.0/24"]), {"country": {"iso_code": "not a code"}})
writer.to_db_file(str(Path(__file__).with_name("geo.mmdb")))

writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Livemeter-Test-ASN", int_type="u32")
EXAMPLE = "Example (RFC 5398)"
writer.insert_network(IPSet(["127.0.0.0/8", "192.0.2.0/24"]), {"autonomous_system_number": 64500, "autonomous_system_organization": EXAMPLE})
writer.insert_network(IPSet(["2001:db8::/32"]), {"autonomous_system_number": 4200000000, "autonomous_system_organization": EXAMPLE})
writer.insert_network(IPSet(["198.51.100.0/24"]), {"autonomous_system_number": 0})
writer.to_db_file(str(Path(__file__).with_name("asn.mmdb")))
