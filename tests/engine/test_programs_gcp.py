"""Ordinary programs for Google Cloud run on the simulated one: preview, up, refresh without changes, destroy."""

from __future__ import annotations

import pytest
from engine_bench import Engine

CONFIG = "config:\n  gcp:project: plain-programs\n  gcp:region: us-central1\n  gcp:zone: us-central1-a\n"

WEB = """
import pulumi
import pulumi_gcp as gcp

network = gcp.compute.Network("web")
gcp.compute.Firewall(
    "web",
    network=network.self_link,
    allows=[{"protocol": "tcp", "ports": ["22", "80"]}],
    source_ranges=["0.0.0.0/0"],
    target_tags=["web"],
)
address = gcp.compute.Address("one")
one = gcp.compute.Instance(
    "one",
    machine_type="f1-micro",
    boot_disk={"initialize_params": {"image": "debian-cloud/debian-12"}},
    network_interfaces=[{"network": network.id, "access_configs": [{"nat_ip": address.address}]}],
    metadata_startup_script="echo hello > index.html",
    service_account={"email": "default", "scopes": ["cloud-platform"]},
    tags=["web"],
)
template = gcp.compute.InstanceTemplate(
    "web",
    machine_type="e2-small",
    disks=[{"source_image": "debian-cloud/debian-12", "boot": True, "auto_delete": True}],
    network_interfaces=[{"network": network.id, "access_configs": [{}]}],
    tags=["web"],
)
check = gcp.compute.HealthCheck("web", http_health_check={"port": 80})
group = gcp.compute.InstanceGroupManager(
    "web",
    base_instance_name="web",
    versions=[{"instance_template": template.self_link_unique}],
    named_ports=[{"name": "http", "port": 80}],
    auto_healing_policies={"health_check": check.id, "initial_delay_sec": 300},
)
gcp.compute.Autoscaler(
    "web",
    target=group.id,
    autoscaling_policy={"min_replicas": 2, "max_replicas": 4, "cpu_utilization": {"target": 0.6}},
)
backend = gcp.compute.BackendService(
    "web", protocol="HTTP", health_checks=check.id, backends=[{"group": group.instance_group}]
)
bucket = gcp.storage.Bucket(
    "site",
    location="US",
    uniform_bucket_level_access=True,
    website={"main_page_suffix": "index.html", "not_found_page": "404.html"},
)
gcp.storage.BucketObject("index.html", bucket=bucket.name, content="<h1>Hello</h1>", content_type="text/html")
gcp.storage.BucketIAMBinding("site", bucket=bucket.name, role="roles/storage.objectViewer", members=["allUsers"])
site = gcp.compute.BackendBucket("site", bucket_name=bucket.name, enable_cdn=True)
urls = gcp.compute.URLMap(
    "web",
    default_service=backend.id,
    host_rules=[{"hosts": ["*"], "path_matcher": "all"}],
    path_matchers=[
        {
            "name": "all",
            "default_service": backend.id,
            "path_rules": [{"paths": ["/static/*"], "service": site.id}],
        }
    ],
)
certificate = gcp.compute.ManagedSslCertificate("web", managed={"domains": ["www.example.com."]})
http = gcp.compute.TargetHttpProxy("web", url_map=urls.id)
https = gcp.compute.TargetHttpsProxy("web", url_map=urls.id, ssl_certificates=[certificate.id])
front = gcp.compute.GlobalAddress("front")
gcp.compute.GlobalForwardingRule("http", target=http.id, ip_address=front.address, port_range="80")
gcp.compute.GlobalForwardingRule("https", target=https.id, ip_address=front.id, port_range="443")
zone = gcp.dns.ManagedZone("zone", dns_name="example.com.")
gcp.dns.RecordSet(
    "www", managed_zone=zone.name, name="www.example.com.", type="A", ttl=300, rrdatas=[front.address]
)
pulumi.export("ip", one.network_interfaces[0].access_configs[0].nat_ip)
pulumi.export("same", pulumi.Output.all(one.network_interfaces[0].access_configs[0].nat_ip, address.address).apply(
    lambda both: both[0] == both[1]))
pulumi.export("servers", zone.name_servers.apply(len))
"""

SERVERLESS = """
import pulumi
import pulumi_gcp as gcp

project = gcp.organizations.get_project()
run = gcp.projects.Service("run", service="run.googleapis.com")
bucket = gcp.storage.Bucket("code", location="US")
code = gcp.storage.BucketObject(
    "code", bucket=bucket.name, source=pulumi.AssetArchive({"main.py": pulumi.StringAsset("def main(r): return 'x'")})
)
old = gcp.cloudfunctions.Function(
    "old",
    runtime="python312",
    entry_point="main",
    trigger_http=True,
    source_archive_bucket=bucket.name,
    source_archive_object=code.name,
)
gcp.cloudfunctions.FunctionIamMember(
    "old", cloud_function=old.name, region=old.region, role="roles/cloudfunctions.invoker", member="allUsers"
)
new = gcp.cloudfunctionsv2.Function(
    "new",
    location="us-central1",
    build_config={
        "runtime": "python312",
        "entry_point": "main",
        "source": {"storage_source": {"bucket": bucket.name, "object": code.name}},
    },
    service_config={"available_memory": "256M", "timeout_seconds": 60},
)
gcp.cloudrun.IamMember("new", location=new.location, service=new.name, role="roles/run.invoker", member="allUsers")
runner = gcp.serviceaccount.Account("runner", account_id="runner-account")
secret = gcp.secretmanager.Secret("word", secret_id="word", replication={"auto": {}})
version = gcp.secretmanager.SecretVersion("word", secret=secret.id, secret_data=pulumi.Output.secret("hush"))
reads = gcp.secretmanager.SecretIamMember(
    "word", secret_id=secret.id, role="roles/secretmanager.secretAccessor", member=runner.member
)
database = gcp.sql.DatabaseInstance(
    "db", database_version="POSTGRES_15", deletion_protection=False, settings={"tier": "db-f1-micro"}
)
gcp.sql.Database("app", instance=database.name)
gcp.sql.User("app", instance=database.name, password=pulumi.Output.secret("pw"))
service = gcp.cloudrunv2.Service(
    "api",
    location="us-central1",
    deletion_protection=False,
    ingress="INGRESS_TRAFFIC_ALL",
    template={
        "service_account": runner.email,
        "scaling": {"max_instance_count": 3},
        "volumes": [{"name": "cloudsql", "cloud_sql_instance": {"instances": [database.connection_name]}}],
        "containers": [
            {
                "image": "us-docker.pkg.dev/cloudrun/container/hello",
                "envs": [
                    {"name": "PLAIN", "value": "x"},
                    {"name": "WORD", "value_source": {"secret_key_ref": {"secret": secret.secret_id, "version": "1"}}},
                ],
                "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
                "volume_mounts": [{"name": "cloudsql", "mount_path": "/cloudsql"}],
            }
        ],
    },
    opts=pulumi.ResourceOptions(depends_on=[run, version, reads]),
)
gcp.cloudrunv2.ServiceIamMember(
    "api", location=service.location, name=service.name, role="roles/run.invoker", member="allUsers"
)
knative = gcp.cloudrun.Service(
    "hello",
    location="us-central1",
    template={"spec": {"containers": [{"image": "us-docker.pkg.dev/cloudrun/container/hello"}]}},
    traffics=[{"percent": 100, "latest_revision": True}],
)
topic = gcp.pubsub.Topic("news")
gcp.pubsub.Subscription(
    "news", topic=topic.id, ack_deadline_seconds=20, push_config={"push_endpoint": service.uri}
)
gcp.cloudscheduler.Job(
    "tick",
    schedule="*/5 * * * *",
    time_zone="Europe/Berlin",
    pubsub_target={"topic_name": topic.id, "data": "aGVsbG8="},
)
dataset = gcp.bigquery.Dataset("events", dataset_id="events", location="US")
gcp.bigquery.Table(
    "rows",
    dataset_id=dataset.dataset_id,
    table_id="rows",
    deletion_protection=False,
    schema='[{"name": "id", "type": "STRING", "mode": "REQUIRED"}]',
)
gcp.artifactregistry.Repository("images", repository_id="images", location="us-central1", format="DOCKER")
gcp.logging.Metric("errors", filter="severity>=ERROR")
channel = gcp.monitoring.NotificationChannel("mail", type="email", labels={"email_address": "a@example.com"})
pulumi.export("project", project.number)
pulumi.export("url", service.uri)
pulumi.export("knative", knative.statuses[0].url)
"""

KUBERNETES = """
import pulumi
import pulumi_gcp as gcp

project = gcp.organizations.get_client_config().project
versions = gcp.container.get_engine_versions(location="us-central1", version_prefix="1.33.")
network = gcp.compute.Network("gke", auto_create_subnetworks=False)
subnet = gcp.compute.Subnetwork(
    "gke",
    ip_cidr_range="10.10.0.0/20",
    network=network.id,
    private_ip_google_access=True,
    secondary_ip_ranges=[
        {"range_name": "pods", "ip_cidr_range": "10.20.0.0/16"},
        {"range_name": "services", "ip_cidr_range": "10.30.0.0/20"},
    ],
)
router = gcp.compute.Router("gke", network=network.id)
gcp.compute.RouterNat(
    "gke",
    router=router.name,
    region=router.region,
    nat_ip_allocate_option="AUTO_ONLY",
    source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
)
nodes = gcp.serviceaccount.Account("nodes", account_id="gke-nodes")
gcp.projects.IAMMember("nodes", project=project, role="roles/container.nodeServiceAccount", member=nodes.member)
cluster = gcp.container.Cluster(
    "gke",
    location="us-central1",
    deletion_protection=False,
    initial_node_count=1,
    remove_default_node_pool=True,
    min_master_version=versions.latest_master_version,
    network=network.name,
    subnetwork=subnet.name,
    ip_allocation_policy={"cluster_secondary_range_name": "pods", "services_secondary_range_name": "services"},
    private_cluster_config={
        "enable_private_nodes": True,
        "enable_private_endpoint": False,
        "master_ipv4_cidr_block": "172.16.0.0/28",
    },
    master_authorized_networks_config={"cidr_blocks": [{"cidr_block": "0.0.0.0/0", "display_name": "all"}]},
    workload_identity_config={"workload_pool": f"{project}.svc.id.goog"},
    release_channel={"channel": "REGULAR"},
    addons_config={"gcp_filestore_csi_driver_config": {"enabled": True}},
    resource_labels={"team": "research"},
)
pool = gcp.container.NodePool(
    "cpu",
    cluster=cluster.id,
    node_count=1,
    autoscaling={"min_node_count": 1, "max_node_count": 3},
    node_config={
        "machine_type": "n2-standard-4",
        "service_account": nodes.email,
        "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "labels": {"kind": "cpu"},
        "taints": [{"key": "dedicated", "value": "x", "effect": "NO_SCHEDULE"}],
        "workload_metadata_config": {"mode": "GKE_METADATA"},
    },
)
gcp.container.NodePool(
    "gpu",
    cluster=cluster.name,
    location=cluster.location,
    node_locations=["us-central1-a"],
    initial_node_count=0,
    autoscaling={"min_node_count": 0, "max_node_count": 4},
    node_config={
        "machine_type": "n1-standard-8",
        "spot": True,
        "guest_accelerators": [
            {"type": "nvidia-tesla-t4", "count": 1, "gpu_driver_installation_config": {"gpu_driver_version": "LATEST"}}
        ],
    },
)
account = gcp.serviceaccount.Account("app", account_id="app-identity")
gcp.serviceaccount.IAMBinding(
    "app",
    service_account_id=account.name,
    role="roles/iam.workloadIdentityUser",
    members=[f"serviceAccount:{project}.svc.id.goog[default/app]"],
    opts=pulumi.ResourceOptions(depends_on=[cluster]),
)
files = gcp.filestore.Instance(
    "files",
    location="us-central1-a",
    tier="BASIC_HDD",
    file_shares={"name": "share", "capacity_gb": 1024},
    networks=[{"network": network.name, "modes": ["MODE_IPV4"]}],
)
cache_range = gcp.compute.GlobalAddress(
    "range", purpose="VPC_PEERING", address_type="INTERNAL", prefix_length=16, network=network.id
)
connection = gcp.servicenetworking.Connection(
    "private",
    network=network.id,
    service="servicenetworking.googleapis.com",
    reserved_peering_ranges=[cache_range.name],
)
gcp.redis.Instance(
    "cache", memory_size_gb=1, authorized_network=network.id, opts=pulumi.ResourceOptions(depends_on=[connection])
)
repository = gcp.artifactregistry.Repository("images", repository_id="images", location="us-central1", format="DOCKER")
gcp.artifactregistry.RepositoryIamMember(
    "images",
    repository=repository.name,
    location=repository.location,
    role="roles/artifactregistry.reader",
    member=nodes.member,
)
pulumi.export("endpoint", cluster.endpoint)
pulumi.export("ca", cluster.master_auth.cluster_ca_certificate)
pulumi.export("groups", pool.instance_group_urls.apply(len))
pulumi.export("address", files.networks[0].ip_addresses[0])
"""


@pytest.mark.parametrize("program", [WEB, SERVERLESS, KUBERNETES], ids=["web", "serverless", "kubernetes"])
def test_an_ordinary_program_comes_up_stays_and_goes(engine: Engine, program: str) -> None:
    engine.use_program(program, CONFIG)
    engine.pulumi("preview")
    up = engine.pulumi("up", "--yes", "--skip-preview")
    assert "not modelled" not in up.text
    engine.pulumi("preview", "--expect-no-changes")
    engine.pulumi("refresh", "--preview-only", "--expect-no-changes")
    engine.pulumi("destroy", "--yes", "--skip-preview")
    left = [r for r in engine.inventory()["resources"] if r["type"] != "iam.binding"]
    assert left == []
