"""What the life of each type that is told by tables looks like: how it is made, what it says, what changes in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gcp_bench import PROJECT

P = f"projects/{PROJECT}"
LINK = "https://www.googleapis.com/compute/v1/"
NUMBER = "678117860693"

Step = tuple[str, dict[str, Any]]


@dataclass
class Life:
    """`inputs` make the resource in the world that `before` made; each of `updates` changes inputs in place."""

    token: str
    inputs: dict[str, Any]
    id: str
    says: dict[str, Any]
    before: list[Step] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    stays: bool = False
    """The cloud keeps it after deletion."""


def _compute(name: str) -> str:
    return f"gcp:compute/{name[0].lower()}{name[1:]}:{name}"


G, R, Z = f"{P}/global", f"{P}/regions/us-west4", f"{P}/zones/us-west4-a"
CHECK: Step = (_compute("HealthCheck"), {"name": "hc", "tcpHealthCheck": {"port": 80}})
OLD_CHECK: Step = (_compute("HttpHealthCheck"), {"name": "old"})
SERVICE: Step = (
    _compute("BackendService"),
    {"name": "web", "protocol": "HTTP", "healthChecks": f"{G}/healthChecks/hc"},
)
SECOND: Step = (SERVICE[0], {**SERVICE[1], "name": "web2"})
TCP: Step = (SERVICE[0], {**SERVICE[1], "name": "tcp", "protocol": "TCP"})
MAP: Step = (_compute("URLMap"), {"name": "map", "defaultService": f"{G}/backendServices/web"})
MAP_TWO: Step = (MAP[0], {**MAP[1], "name": "map2"})
PROXY: Step = (_compute("TargetHttpProxy"), {"name": "proxy", "urlMap": f"{G}/urlMaps/map"})
PROXY_TWO: Step = (PROXY[0], {**PROXY[1], "name": "proxy2"})
PEM = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"
SECRET_KEY = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"
CERT: Step = (_compute("SSLCertificate"), {"name": "cert", "certificate": PEM, "privateKey": SECRET_KEY})
CERT_TWO: Step = (CERT[0], {**CERT[1], "name": "cert2"})
NETWORK: Step = (_compute("Network"), {"name": "net", "autoCreateSubnetworks": False})
OTHER: Step = (_compute("Network"), {"name": "other", "autoCreateSubnetworks": False})
SUBNET: Step = (
    _compute("Subnetwork"),
    {"name": "sub", "network": f"{G}/networks/net", "region": "us-west4", "ipCidrRange": "10.60.0.0/20"},
)
SMALL: Step = (
    _compute("Subnetwork"),
    {"name": "small", "network": f"{G}/networks/net", "region": "us-west4", "ipCidrRange": "10.70.0.0/28"},
)
REGION_CHECK: Step = (
    _compute("RegionHealthCheck"),
    {"name": "rhc", "region": "us-west4", "tcpHealthCheck": {"port": 80}},
)
REGION_SERVICE: Step = (
    _compute("RegionBackendService"),
    {
        "name": "inner",
        "region": "us-west4",
        "protocol": "TCP",
        "loadBalancingScheme": "INTERNAL",
        "healthChecks": f"{R}/healthChecks/rhc",
    },
)
REGION_WEB: Step = (
    _compute("RegionBackendService"),
    {**REGION_SERVICE[1], "name": "rweb", "protocol": "HTTP", "loadBalancingScheme": "INTERNAL_MANAGED"},
)
REGION_MAP: Step = (
    _compute("RegionUrlMap"),
    {"name": "rmap", "region": "us-west4", "defaultService": f"{R}/backendServices/rweb"},
)
MACHINE: Step = (
    _compute("Instance"),
    {
        "name": "vm",
        "zone": "us-west4-a",
        "machineType": "e2-small",
        "bootDisk": {"initializeParams": {"image": "debian-cloud/debian-12"}},
        "networkInterfaces": [{"subnetwork": f"{R}/subnetworks/sub"}],
    },
)
TEMPLATE: Step = (
    _compute("InstanceTemplate"),
    {
        "name": "t",
        "machineType": "e2-small",
        "disks": [{"sourceImage": "debian-cloud/debian-12", "boot": True}],
        "networkInterfaces": [{"subnetwork": f"{R}/subnetworks/sub"}],
    },
)
GROUP: Step = (
    _compute("InstanceGroupManager"),
    {
        "name": "g",
        "zone": "us-west4-a",
        "baseInstanceName": "g",
        "versions": [{"instanceTemplate": f"{G}/instanceTemplates/t"}],
        "targetSize": 1,
    },
)
REGION_GROUP: Step = (
    _compute("RegionInstanceGroupManager"),
    {**{k: v for k, v in GROUP[1].items() if k != "zone"}, "region": "us-west4"},
)
DISK: Step = (_compute("Disk"), {"name": "d", "zone": "us-west4-a", "size": 100, "type": "pd-ssd"})
SCHEDULE: Step = (
    _compute("ResourcePolicy"),
    {
        "name": "nightly",
        "region": "us-west4",
        "snapshotSchedulePolicy": {"schedule": {"dailySchedule": {"daysInCycle": 1, "startTime": "04:00"}}},
    },
)
BUCKET: Step = ("gcp:storage/bucket:Bucket", {"name": "bkt", "location": "US-WEST4"})
OBJECT: Step = ("gcp:storage/bucketObject:BucketObject", {"name": "code.zip", "bucket": "bkt", "content": "code"})
TOPIC: Step = ("gcp:pubsub/topic:Topic", {"name": "news"})
ACCOUNT: Step = ("gcp:serviceaccount/account:Account", {"accountId": "trainer"})
EMAIL = f"trainer@{PROJECT}.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{EMAIL}"
POLICY = {
    "name": "scale",
    "autoscalingPolicy": {"minReplicas": 1, "maxReplicas": 3, "cpuUtilization": {"target": 0.5}},
}
LARGER = {"minReplicas": 1, "maxReplicas": 5, "cpuUtilization": {"target": 0.7}}

COMPUTE: list[Life] = [
    Life(*OLD_CHECK, f"{G}/httpHealthChecks/old", {"port": 80, "requestPath": "/"}, updates=[{"port": 8080}]),
    Life(
        _compute("HttpsHealthCheck"), {"name": "s"}, f"{G}/httpsHealthChecks/s", {"port": 443}, updates=[{"host": "h"}]
    ),
    Life(
        *REGION_CHECK,
        f"{R}/healthChecks/rhc",
        {"type": "TCP", "checkIntervalSec": 5},
        updates=[{"checkIntervalSec": 10}, {"description": "x"}],
    ),
    Life(
        *SERVICE,
        f"{G}/backendServices/web",
        {"portName": "http", "timeoutSec": 30, "loadBalancingScheme": "EXTERNAL_MANAGED"},
        before=[CHECK],
        updates=[{"timeoutSec": 60}, {"enableCdn": True}, {"connectionDrainingTimeoutSec": 10}],
    ),
    Life(
        *REGION_SERVICE,
        f"{R}/backendServices/inner",
        {"loadBalancingScheme": "INTERNAL"},
        before=[REGION_CHECK],
        updates=[{"description": "x"}, {"sessionAffinity": "CLIENT_IP"}],
    ),
    Life(
        _compute("BackendBucket"),
        {"name": "site", "bucketName": "bkt"},
        f"{G}/backendBuckets/site",
        {"selfLink": f"{LINK}{G}/backendBuckets/site"},
        before=[BUCKET],
        updates=[{"enableCdn": True}, {"description": "x"}],
    ),
    Life(
        *MAP,
        f"{G}/urlMaps/map",
        {"defaultService": f"{LINK}{G}/backendServices/web"},
        before=[CHECK, SERVICE, SECOND],
        updates=[
            {"defaultService": f"{G}/backendServices/web2"},
            {
                "hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "m"}],
                "pathMatchers": [
                    {
                        "name": "m",
                        "defaultService": f"{G}/backendServices/web",
                        "pathRules": [{"paths": ["/x/*"], "service": f"{G}/backendServices/web2"}],
                    }
                ],
            },
        ],
    ),
    Life(*REGION_MAP, f"{R}/urlMaps/rmap", {}, before=[REGION_CHECK, REGION_WEB], updates=[{"description": "x"}]),
    Life(
        *PROXY,
        f"{G}/targetHttpProxies/proxy",
        {"urlMap": f"{LINK}{G}/urlMaps/map"},
        before=[CHECK, SERVICE, MAP, MAP_TWO],
        updates=[{"urlMap": f"{G}/urlMaps/map2"}],
    ),
    Life(
        _compute("RegionTargetHttpProxy"),
        {"name": "rp", "region": "us-west4", "urlMap": f"{R}/urlMaps/rmap"},
        f"{R}/targetHttpProxies/rp",
        {},
        before=[REGION_CHECK, REGION_WEB, REGION_MAP],
    ),
    Life(
        _compute("TargetHttpsProxy"),
        {"name": "sp", "urlMap": f"{G}/urlMaps/map", "sslCertificates": [f"{G}/sslCertificates/cert"]},
        f"{G}/targetHttpsProxies/sp",
        {"quicOverride": "NONE"},
        before=[CHECK, SERVICE, MAP, MAP_TWO, CERT, CERT_TWO],
        updates=[{"urlMap": f"{G}/urlMaps/map2"}, {"sslCertificates": [f"{G}/sslCertificates/cert2"]}],
    ),
    Life(
        _compute("TargetTCPProxy"),
        {"name": "tp", "backendService": f"{G}/backendServices/tcp"},
        f"{G}/targetTcpProxies/tp",
        {"proxyHeader": "NONE"},
        before=[CHECK, TCP],
        updates=[{"proxyHeader": "PROXY_V1"}],
    ),
    Life(
        _compute("TargetSSLProxy"),
        {
            "name": "tsp",
            "backendService": f"{G}/backendServices/tcp",
            "sslCertificates": [f"{G}/sslCertificates/cert"],
        },
        f"{G}/targetSslProxies/tsp",
        {"proxyHeader": "NONE"},
        before=[CHECK, TCP, CERT, CERT_TWO],
        updates=[{"sslCertificates": [f"{G}/sslCertificates/cert2"]}],
    ),
    Life(
        _compute("GlobalForwardingRule"),
        {"name": "front", "target": f"{G}/targetHttpProxies/proxy", "portRange": "80"},
        f"{G}/forwardingRules/front",
        {"ipProtocol": "TCP", "portRange": "80"},
        before=[CHECK, SERVICE, MAP, PROXY, PROXY_TWO],
        updates=[{"target": f"{G}/targetHttpProxies/proxy2"}, {"labels": {"a": "b"}}],
    ),
    Life(
        _compute("ForwardingRule"),
        {
            "name": "in",
            "region": "us-west4",
            "loadBalancingScheme": "INTERNAL",
            "backendService": f"{R}/backendServices/inner",
            "ports": ["80"],
            "network": f"{G}/networks/net",
            "subnetwork": f"{R}/subnetworks/sub",
        },
        f"{R}/forwardingRules/in",
        {"ipAddress": "10.60.0.2"},
        before=[NETWORK, SUBNET, REGION_CHECK, REGION_SERVICE],
        updates=[{"labels": {"a": "b"}}],
    ),
    Life(
        _compute("TargetPool"),
        {"name": "pool", "region": "us-west4", "healthChecks": "old"},
        f"{R}/targetPools/pool",
        {"sessionAffinity": "NONE"},
        before=[NETWORK, SUBNET, MACHINE, OLD_CHECK],
        updates=[{"instances": ["us-west4-a/vm"]}],
    ),
    Life(
        _compute("ManagedSslCertificate"),
        {"name": "mc", "managed": {"domains": ["www.example.com"]}},
        f"{G}/sslCertificates/mc",
        {"type": "MANAGED"},
    ),
    Life(*CERT, f"{G}/sslCertificates/cert", {"selfLink": f"{LINK}{G}/sslCertificates/cert"}),
    Life(
        _compute("SSLPolicy"),
        {"name": "tls", "minTlsVersion": "TLS_1_2"},
        f"{G}/sslPolicies/tls",
        {"profile": "COMPATIBLE"},
        updates=[{"profile": "MODERN"}],
    ),
    Life(
        _compute("NetworkEndpointGroup"),
        {"name": "neg", "zone": "us-west4-a", "network": f"{G}/networks/net", "defaultPort": 80},
        f"{Z}/networkEndpointGroups/neg",
        {"networkEndpointType": "GCE_VM_IP_PORT", "size": 0},
        before=[NETWORK],
    ),
    Life(
        _compute("RegionNetworkEndpointGroup"),
        {"name": "rneg", "region": "us-west4", "cloudRun": {"service": "web"}},
        f"{R}/networkEndpointGroups/rneg",
        {"networkEndpointType": "SERVERLESS"},
    ),
    Life(
        _compute("Autoscaler"),
        {**POLICY, "zone": "us-west4-a", "target": f"{Z}/instanceGroupManagers/g"},
        f"{Z}/autoscalers/scale",
        {"target": f"{LINK}{Z}/instanceGroupManagers/g"},
        before=[NETWORK, SUBNET, TEMPLATE, GROUP],
        updates=[{"autoscalingPolicy": LARGER}],
    ),
    Life(
        _compute("RegionAutoscaler"),
        {**POLICY, "region": "us-west4", "target": f"{R}/instanceGroupManagers/g"},
        f"{R}/autoscalers/scale",
        {},
        before=[NETWORK, SUBNET, TEMPLATE, REGION_GROUP],
        updates=[{"autoscalingPolicy": LARGER}],
    ),
    Life(
        _compute("InstanceGroup"),
        {"name": "ug", "zone": "us-west4-a", "network": f"{G}/networks/net"},
        f"{Z}/instanceGroups/ug",
        {"size": 0, "instances": []},
        before=[NETWORK, SUBNET, MACHINE],
        updates=[{"instances": [f"{Z}/instances/vm"]}, {"namedPorts": [{"name": "http", "port": 80}]}],
    ),
    Life(
        _compute("Image"),
        {"name": "own", "sourceDisk": f"{Z}/disks/d", "family": "mine"},
        f"{G}/images/own",
        {"diskSizeGb": 100},
        before=[DISK],
        updates=[{"labels": {"a": "b"}}],
    ),
    Life(
        _compute("Snapshot"),
        {"name": "snap", "sourceDisk": f"{Z}/disks/d"},
        f"{G}/snapshots/snap",
        {"diskSizeGb": 100},
        before=[DISK],
        updates=[{"labels": {"a": "b"}}],
    ),
    Life(
        _compute("RegionDisk"),
        {
            "name": "rd",
            "region": "us-west4",
            "replicaZones": ["us-west4-a", "us-west4-b"],
            "size": 200,
            "type": "pd-ssd",
        },
        f"{R}/disks/rd",
        {"type": "pd-ssd"},
        updates=[{"size": 300}, {"labels": {"a": "b"}}],
    ),
    Life(
        _compute("Reservation"),
        {
            "name": "kept",
            "zone": "us-west4-a",
            "specificReservation": {"count": 2, "instanceProperties": {"machineType": "e2-small"}},
        },
        f"{Z}/reservations/kept",
        {"status": "READY"},
        updates=[{"specificReservation": {"count": 3, "instanceProperties": {"machineType": "e2-small"}}}],
    ),
    Life(
        _compute("SecurityPolicy"),
        {"name": "guard", "description": "x"},
        f"{G}/securityPolicies/guard",
        {"type": "CLOUD_ARMOR"},
        updates=[
            {
                "rules": [
                    {
                        "action": "deny(403)",
                        "priority": 1000,
                        "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["9.9.9.0/24"]}},
                    },
                    {
                        "action": "allow",
                        "priority": 2147483647,
                        "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}},
                    },
                ]
            }
        ],
    ),
    Life(
        _compute("NetworkPeering"),
        {"name": "peer", "network": f"{LINK}{G}/networks/net", "peerNetwork": f"{LINK}{G}/networks/other"},
        "net/peer",
        {"state": "INACTIVE"},
        before=[NETWORK, OTHER],
        updates=[{"exportCustomRoutes": True}],
    ),
    Life(
        _compute("AttachedDisk"),
        {"disk": f"{Z}/disks/d", "instance": f"{Z}/instances/vm"},
        f"{Z}/instances/vm/d",
        {"mode": "READ_WRITE"},
        before=[NETWORK, SUBNET, MACHINE, DISK],
    ),
    Life(
        _compute("ProjectMetadataItem"),
        {"key": "enable-oslogin", "value": "TRUE"},
        "enable-oslogin",
        {"project": PROJECT},
        updates=[{"value": "FALSE"}],
    ),
    Life(
        _compute("ProjectMetadata"),
        {"metadata": {"a": "b"}},
        PROJECT,
        {"project": PROJECT},
        updates=[{"metadata": {"a": "c", "d": "e"}}],
        stays=True,
    ),
    Life(
        _compute("DiskResourcePolicyAttachment"),
        {"name": "nightly", "disk": "d", "zone": "us-west4-a"},
        f"{PROJECT}/us-west4-a/d/nightly",
        {},
        before=[DISK, SCHEDULE],
    ),
]

CLUSTER: Step = (
    "gcp:container/cluster:Cluster",
    {
        "name": "c",
        "location": "us-west4-a",
        "initialNodeCount": 1,
        "network": "net",
        "subnetwork": "sub",
        "deletionProtection": False,
    },
)
LOC, LOCZ = f"{P}/locations/us-west4", f"{P}/locations/us-west4-a"
SECRET: Step = ("gcp:secretmanager/secret:Secret", {"secretId": "s", "replication": {"auto": {}}})
REPO: Step = (
    "gcp:artifactregistry/repository:Repository",
    {"repositoryId": "images", "location": "us-west4", "format": "DOCKER"},
)
RUN: Step = (
    "gcp:cloudrunv2/service:Service",
    {
        "name": "web",
        "location": "us-west4",
        "deletionProtection": False,
        "template": {"containers": [{"image": "gcr.io/cloudrun/hello"}]},
    },
)
JOB: Step = (
    "gcp:cloudrunv2/job:Job",
    {
        "name": "work",
        "location": "us-west4",
        "deletionProtection": False,
        "template": {"template": {"containers": [{"image": "gcr.io/cloudrun/hello"}]}},
    },
)
KNATIVE: Step = (
    "gcp:cloudrun/service:Service",
    {
        "name": "old",
        "location": "us-west4",
        "template": {
            "spec": {"containers": [{"image": "gcr.io/cloudrun/hello", "envs": [{"name": "A", "value": "b"}]}]}
        },
        "traffics": [{"percent": 100, "latestRevision": True}],
    },
)
FUNCTION: Step = (
    "gcp:cloudfunctions/function:Function",
    {
        "name": "f",
        "region": "us-west4",
        "runtime": "python312",
        "entryPoint": "main",
        "triggerHttp": True,
        "sourceArchiveBucket": "bkt",
        "sourceArchiveObject": "code.zip",
    },
)
FUNCTION_TWO: Step = (
    "gcp:cloudfunctionsv2/function:Function",
    {
        "name": "f2",
        "location": "us-west4",
        "buildConfig": {
            "runtime": "python312",
            "entryPoint": "main",
            "source": {"storageSource": {"bucket": "bkt", "object": "code.zip"}},
        },
        "serviceConfig": {"availableMemory": "256M", "timeoutSeconds": 60},
    },
)
SUBSCRIPTION: Step = ("gcp:pubsub/subscription:Subscription", {"name": "read", "topic": f"{P}/topics/news"})
INSTANCE: Step = (
    "gcp:sql/databaseInstance:DatabaseInstance",
    {
        "name": "db",
        "region": "us-west4",
        "databaseVersion": "POSTGRES_15",
        "deletionProtection": False,
        "settings": {"tier": "db-f1-micro"},
    },
)
DATASET: Step = ("gcp:bigquery/dataset:Dataset", {"datasetId": "data", "location": "US"})
ZONE: Step = ("gcp:dns/managedZone:ManagedZone", {"name": "zone", "dnsName": "example.com."})
POOL: Step = ("gcp:iam/workloadIdentityPool:WorkloadIdentityPool", {"workloadIdentityPoolId": "outside"})
CHANNEL: Step = (
    "gcp:monitoring/notificationChannel:NotificationChannel",
    {"displayName": "mail", "type": "email", "labels": {"email_address": "a@example.com"}},
)
RANGE: Step = (
    _compute("GlobalAddress"),
    {
        "name": "range",
        "purpose": "VPC_PEERING",
        "addressType": "INTERNAL",
        "prefixLength": 16,
        "network": f"{G}/networks/net",
    },
)
RING: Step = ("gcp:kms/keyRing:KeyRing", {"name": "ring", "location": "us-west4"})
CRYPTO: Step = ("gcp:kms/cryptoKey:CryptoKey", {"name": "key", "keyRing": f"{LOC}/keyRings/ring"})

MANAGED: list[Life] = [
    Life(
        *CLUSTER,
        f"{LOCZ}/clusters/c",
        {"location": "us-west4-a", "networkingMode": "VPC_NATIVE"},
        before=[NETWORK, SUBNET],
        updates=[
            {"resourceLabels": {"a": "b"}},
            {"releaseChannel": {"channel": "STABLE"}},
            {"workloadIdentityConfig": {"workloadPool": f"{PROJECT}.svc.id.goog"}},
            {"loggingService": "none"},
            {"enableLegacyAbac": True},
        ],
    ),
    Life(
        "gcp:container/nodePool:NodePool",
        {
            "name": "pool",
            "cluster": f"{LOCZ}/clusters/c",
            "nodeCount": 1,
            "nodeConfig": {"machineType": "n1-standard-4", "labels": {"a": "b"}},
        },
        f"{LOCZ}/clusters/c/nodePools/pool",
        {"location": "us-west4-a", "project": PROJECT},
        before=[NETWORK, SUBNET, CLUSTER],
        updates=[
            {"nodeCount": 3},
            {"autoscaling": {"minNodeCount": 1, "maxNodeCount": 4}},
            {"management": {"autoRepair": True, "autoUpgrade": False}},
            {"nodeConfig": {"machineType": "n1-standard-4", "labels": {"a": "c"}}},
        ],
    ),
    Life(
        "gcp:filestore/instance:Instance",
        {
            "name": "files",
            "location": "us-west4-a",
            "tier": "BASIC_HDD",
            "fileShares": {"name": "share", "capacityGb": 1024},
            "networks": [{"network": "net", "modes": ["MODE_IPV4"]}],
        },
        f"{LOCZ}/instances/files",
        {"tier": "BASIC_HDD"},
        before=[NETWORK],
        updates=[{"fileShares": {"name": "share", "capacityGb": 2048}}, {"labels": {"a": "b"}}, {"description": "x"}],
    ),
    Life(
        "gcp:parallelstore/instance:Instance",
        {"instanceId": "scratch", "location": "us-west4-a", "capacityGib": "12000", "network": f"{G}/networks/net"},
        f"{LOCZ}/instances/scratch",
        {"state": "ACTIVE"},
        before=[NETWORK],
        updates=[{"description": "x"}, {"labels": {"a": "b"}}],
    ),
    Life(
        "gcp:redis/instance:Instance",
        {"name": "cache", "region": "us-west4", "memorySizeGb": 1, "authorizedNetwork": f"{G}/networks/net"},
        f"{LOC}/instances/cache",
        {"port": 6379, "tier": "BASIC"},
        before=[NETWORK],
        updates=[{"memorySizeGb": 2}, {"displayName": "x"}, {"labels": {"a": "b"}}, {"authEnabled": True}],
    ),
    Life(
        *INSTANCE,
        f"{P}/instances/db",
        {"connectionName": f"{PROJECT}:us-west4:db"},
        updates=[{"settings": {"tier": "db-g1-small"}}, {"settings": {"tier": "db-g1-small", "diskSize": 20}}],
    ),
    Life(
        "gcp:sql/database:Database",
        {"name": "app", "instance": "db"},
        f"{P}/instances/db/databases/app",
        {"charset": "UTF8"},
        before=[INSTANCE],
    ),
    Life(
        "gcp:sql/user:User",
        {"name": "me", "instance": "db", "password": "secret"},
        "me//db",
        {"project": PROJECT},
        before=[INSTANCE],
        updates=[{"password": "other"}],
    ),
    Life(
        *DATASET,
        f"{P}/datasets/data",
        {"selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{P}/datasets/data"},
        updates=[{"description": "x"}, {"labels": {"a": "b"}}, {"defaultTableExpirationMs": 3600000}],
    ),
    Life(
        "gcp:bigquery/table:Table",
        {
            "datasetId": "data",
            "tableId": "rows",
            "deletionProtection": False,
            "schema": '[{"name": "id", "type": "STRING"}]',
        },
        f"{P}/datasets/data/tables/rows",
        {"type": "TABLE", "numRows": 0},
        before=[DATASET],
        updates=[
            {"description": "x"},
            {"schema": '[{"name": "id", "type": "STRING"}, {"name": "n", "type": "INTEGER"}]'},
        ],
    ),
    Life(
        *RUN,
        f"{LOC}/services/web",
        {"ingress": "INGRESS_TRAFFIC_ALL"},
        updates=[
            {"template": {"containers": [{"image": "gcr.io/cloudrun/hello", "envs": [{"name": "A", "value": "b"}]}]}},
            {"labels": {"a": "b"}},
        ],
    ),
    Life(*JOB, f"{LOC}/jobs/work", {"executionCount": 0}, updates=[{"labels": {"a": "b"}}]),
    Life(
        *KNATIVE,
        f"locations/us-west4/namespaces/{PROJECT}/services/old",
        {},
        updates=[{"template": {"spec": {"containers": [{"image": "gcr.io/cloudrun/other"}]}}}],
    ),
    Life(
        *FUNCTION,
        f"{LOC}/functions/f",
        {"httpsTriggerUrl": f"https://us-west4-{PROJECT}.cloudfunctions.net/f", "timeout": 60},
        before=[BUCKET, OBJECT],
        updates=[{"availableMemoryMb": 512}, {"environmentVariables": {"A": "b"}}, {"labels": {"a": "b"}}],
    ),
    Life(
        *FUNCTION_TWO,
        f"{LOC}/functions/f2",
        {"state": "ACTIVE", "url": f"https://us-west4-{PROJECT}.cloudfunctions.net/f2"},
        before=[BUCKET, OBJECT],
        updates=[{"description": "x"}, {"serviceConfig": {"availableMemory": "512M", "timeoutSeconds": 60}}],
    ),
    Life(
        *REPO,
        f"{LOC}/repositories/images",
        {"name": "images", "mode": "STANDARD_REPOSITORY"},
        updates=[{"description": "x"}, {"labels": {"a": "b"}}],
    ),
    Life(
        "gcp:vpcaccess/connector:Connector",
        {"name": "conn", "region": "us-west4", "network": "net", "ipCidrRange": "10.8.0.0/28", "minInstances": 2}
        | {"maxInstances": 3},
        f"{LOC}/connectors/conn",
        {"state": "READY", "machineType": "e2-micro"},
        before=[NETWORK],
    ),
    Life(*TOPIC, f"{P}/topics/news", {}, updates=[{"labels": {"a": "b"}}, {"messageRetentionDuration": "86400s"}]),
    Life(
        *SUBSCRIPTION,
        f"{P}/subscriptions/read",
        {"ackDeadlineSeconds": 10},
        before=[TOPIC],
        updates=[{"ackDeadlineSeconds": 60}, {"labels": {"a": "b"}}],
    ),
    Life(
        "gcp:pubsub/schema:Schema",
        {"name": "shape", "type": "AVRO", "definition": '{"type": "record", "name": "A", "fields": []}'},
        f"{P}/schemas/shape",
        {},
    ),
    Life(
        "gcp:cloudscheduler/job:Job",
        {
            "name": "tick",
            "region": "us-west4",
            "schedule": "*/5 * * * *",
            "httpTarget": {"uri": "https://example.com/", "httpMethod": "GET"},
        },
        f"{LOC}/jobs/tick",
        {"state": "ENABLED", "timeZone": "Etc/UTC"},
        updates=[{"schedule": "0 1 * * *"}, {"paused": True}],
    ),
    Life(
        *SECRET,
        f"{P}/secrets/s",
        {"name": f"{P}/secrets/s"},
        updates=[{"labels": {"a": "b"}}],
    ),
    Life(
        "gcp:secretmanager/secretVersion:SecretVersion",
        {"secret": f"{P}/secrets/s", "secretData": "hush"},
        f"{P}/secrets/s/versions/1",
        {"version": "1", "secretData": "hush"},
        before=[SECRET],
        updates=[{"enabled": False}],
    ),
    Life(
        *ZONE,
        f"{P}/managedZones/zone",
        {"visibility": "public"},
        updates=[{"description": "x"}, {"labels": {"a": "b"}}],
    ),
    Life(
        "gcp:dns/recordSet:RecordSet",
        {"name": "www.example.com.", "managedZone": "zone", "type": "A", "ttl": 300, "rrdatas": ["203.0.113.1"]},
        f"{P}/managedZones/zone/rrsets/www.example.com./A",
        {"project": PROJECT},
        before=[ZONE],
        updates=[{"rrdatas": ["203.0.113.2"]}, {"ttl": 60}],
    ),
    Life(
        "gcp:logging/metric:Metric",
        {"name": "errors", "filter": "severity>=ERROR"},
        "errors",
        {"project": PROJECT},
        updates=[{"filter": "severity=ERROR"}, {"description": "x"}],
    ),
    Life(
        "gcp:logging/projectSink:ProjectSink",
        {"name": "out", "destination": "storage.googleapis.com/bkt", "filter": "severity>=ERROR"},
        f"{P}/sinks/out",
        {"writerIdentity": f"serviceAccount:service-{NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"},
        before=[BUCKET],
        updates=[{"filter": "severity=ERROR"}],
    ),
    Life(
        "gcp:logging/projectExclusion:ProjectExclusion",
        {"name": "noise", "filter": "severity<INFO"},
        f"{P}/exclusions/noise",
        {},
        updates=[{"filter": "severity<ERROR"}],
    ),
    Life(
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        {"project": PROJECT, "location": "global", "bucketId": "kept", "retentionDays": 90},
        f"{P}/locations/global/buckets/kept",
        {"lifecycleState": "ACTIVE"},
        updates=[{"retentionDays": 180}],
    ),
    Life(
        "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
        POOL[1],
        f"{P}/locations/global/workloadIdentityPools/outside",
        {"name": f"projects/{NUMBER}/locations/global/workloadIdentityPools/outside", "state": "ACTIVE"},
        updates=[{"displayName": "x"}],
    ),
    Life(
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        {
            "workloadIdentityPoolId": "outside",
            "workloadIdentityPoolProviderId": "github",
            "attributeMapping": {"google.subject": "assertion.sub"},
            "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        },
        f"{P}/locations/global/workloadIdentityPools/outside/providers/github",
        {"state": "ACTIVE"},
        before=[POOL],
        updates=[{"displayName": "x"}],
    ),
    Life(
        "gcp:projects/iAMCustomRole:IAMCustomRole",
        {"roleId": "reader", "title": "Reader", "permissions": ["storage.objects.get"]},
        f"{P}/roles/reader",
        {"stage": "GA", "deleted": False},
        updates=[{"permissions": ["storage.objects.get", "storage.objects.list"]}],
    ),
    Life(
        "gcp:projects/service:Service",
        {"service": "compute.googleapis.com", "disableOnDestroy": True},
        f"{PROJECT}/compute.googleapis.com",
        {},
    ),
    Life(
        "gcp:servicenetworking/connection:Connection",
        {
            "network": f"{G}/networks/net",
            "service": "servicenetworking.googleapis.com",
            "reservedPeeringRanges": ["range"],
        },
        f"{G}/networks/net:servicenetworking.googleapis.com",
        {"peering": "servicenetworking-googleapis-com"},
        before=[NETWORK, RANGE],
    ),
    Life(
        "gcp:storage/bucketAccessControl:BucketAccessControl",
        {"bucket": "bkt", "entity": "allUsers", "role": "READER"},
        "bkt/allUsers",
        {},
        before=[BUCKET],
        updates=[{"role": "WRITER"}],
    ),
    Life(
        "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
        {"bucket": "bkt", "entity": "allUsers", "role": "READER"},
        "bkt/allUsers",
        {},
        before=[BUCKET],
        updates=[{"role": "OWNER"}],
    ),
    Life(
        "gcp:storage/objectAccessControl:ObjectAccessControl",
        {"bucket": "bkt", "object": "code.zip", "entity": "user-a@example.com", "role": "READER"},
        "bkt/code.zip/user-a@example.com",
        {"email": "a@example.com"},
        before=[BUCKET, OBJECT],
        updates=[{"role": "OWNER"}],
    ),
    Life(
        "gcp:storage/bucketACL:BucketACL",
        {"bucket": "bkt", "roleEntities": ["READER:allUsers"]},
        "bkt-acl",
        {},
        before=[BUCKET],
        updates=[{"roleEntities": ["READER:allUsers", "OWNER:user-a@example.com"]}],
        stays=True,
    ),
    Life(
        "gcp:projects/iAMAuditConfig:IAMAuditConfig",
        {"project": PROJECT, "service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]},
        f"{PROJECT}/audit_config/allServices",
        {},
        updates=[{"auditLogConfigs": [{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}]}],
    ),
    Life(
        "gcp:storage/notification:Notification",
        {"bucket": "bkt", "payloadFormat": "JSON_API_V1", "topic": f"{P}/topics/news"},
        "bkt/notificationConfigs/1",
        {"notificationId": "1"},
        before=[
            BUCKET,
            TOPIC,
            (
                "gcp:pubsub/topicIAMMember:TopicIAMMember",
                {
                    "topic": "news",
                    "role": "roles/pubsub.publisher",
                    "member": f"serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
                },
            ),
        ],
    ),
]


WHO = f"{P}/serviceAccounts/{EMAIL}"
WHOLE = '{"bindings":[{"members":["allUsers"],"role":"roles/viewer"}]}'
WIDER = '{"bindings":[{"members":["allUsers","user:a@example.com"],"role":"roles/viewer"}]}'


def _grants() -> list[Life]:
    """A member and a binding on each kind of resource that has a policy."""
    west = {"location": "us-west4"}
    rows: list[tuple[str, str, dict[str, Any], str, list[Step]]] = [
        ("cloudfunctions", "FunctionIam", {"cloudFunction": "f", "region": "us-west4"}, "functions/f", [FUNCTION]),
        ("cloudfunctionsv2", "FunctionIam", {"cloudFunction": "f2", **west}, "functions/f2", [FUNCTION_TWO]),
        ("cloudrun", "Iam", {"service": "old", **west}, "services/old", [KNATIVE]),
        ("cloudrunv2", "ServiceIam", {"name": "web", **west}, "services/web", [RUN]),
        ("cloudrunv2", "JobIam", {"name": "work", **west}, "jobs/work", [JOB]),
        ("artifactregistry", "RepositoryIam", {"repository": "images", **west}, "repositories/images", [REPO]),
        ("pubsub", "TopicIAM", {"topic": "news"}, f"{P}/topics/news", [TOPIC]),
        ("pubsub", "SubscriptionIAM", {"subscription": "read"}, f"{P}/subscriptions/read", [TOPIC, SUBSCRIPTION]),
        ("secretmanager", "SecretIam", {"secretId": "s"}, f"{P}/secrets/s", [SECRET]),
    ]
    found = []
    for module, stem, names, path, needs in rows:
        full = path if path.startswith("projects/") else f"{LOC}/{path}"
        before = [BUCKET, OBJECT, *needs] if "functions/" in path else needs
        for kind in ("Member", "Binding", "Policy"):
            name = f"{stem}{kind}"
            token = f"gcp:{module}/{name[0].lower()}{name[1:]}:{name}"
            who: dict[str, Any] = {"member": "allUsers"} if kind == "Member" else {"members": ["allUsers"]}
            id = f"{full}/roles/viewer/allUsers" if kind == "Member" else f"{full}/roles/viewer"
            updates = [] if kind == "Member" else [{"members": ["allUsers", "user:a@example.com"]}]
            inputs = {**names, "role": "roles/viewer", **who}
            if kind == "Policy":
                inputs, id, updates = {**names, "policyData": WHOLE}, full, [{"policyData": WIDER}]
            stays = kind == "Policy"  # an empty one
            found.append(Life(token, inputs, id, {"project": PROJECT}, before=before, updates=updates, stays=stays))
    for token, on, value, shown, needs in (
        ("gcp:storage/bucketIAMPolicy:BucketIAMPolicy", "bucket", "b/bkt", "b/bkt", [BUCKET]),
        ("gcp:serviceaccount/iAMPolicy:IAMPolicy", "serviceAccountId", WHO, WHO, [ACCOUNT]),
    ):
        inputs = {on: value, "policyData": WHOLE}
        change = [{"policyData": WIDER}]
        found.append(Life(token, inputs, shown, {}, before=list(needs), updates=change, stays=True))
    key = f"{LOC}/keyRings/ring/cryptoKeys/key"
    for token, on, value, made in (
        ("gcp:projects/iAMBinding:IAMBinding", "project", PROJECT, []),
        ("gcp:serviceaccount/iAMBinding:IAMBinding", "serviceAccountId", f"{P}/serviceAccounts/{EMAIL}", [ACCOUNT]),
        ("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding", "cryptoKeyId", key, [RING, CRYPTO]),
    ):
        id = f"{value}/roles/viewer"
        inputs = {on: value, "role": "roles/viewer", "members": ["user:a@example.com"]}
        more = [{"members": ["user:a@example.com", "user:b@example.com"]}]
        found.append(Life(token, inputs, id, {}, before=list(made), updates=more))
    return found


GRANTED = _grants()

NUMBERED: list[tuple[Step, str, list[Step], dict[str, Any]]] = [
    (
        (
            "gcp:monitoring/alertPolicy:AlertPolicy",
            {
                "displayName": "hot",
                "combiner": "OR",
                "conditions": [
                    {
                        "displayName": "cpu",
                        "conditionThreshold": {
                            "filter": 'metric.type="a" AND resource.type="gce_instance"',
                            "comparison": "COMPARISON_GT",
                            "duration": "60s",
                            "aggregations": [{"alignmentPeriod": "60s", "perSeriesAligner": "ALIGN_RATE"}],
                        },
                    }
                ],
            },
        ),
        rf"{P}/alertPolicies/\d+",
        [],
        {"displayName": "hotter"},
    ),
    (CHANNEL, rf"{P}/notificationChannels/\d+", [], {"displayName": "post"}),
    (
        (
            "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig",
            {
                "displayName": "up",
                "timeout": "10s",
                "httpCheck": {"path": "/", "port": 80},
                "monitoredResource": {"type": "uptime_url", "labels": {"host": "example.com", "project_id": PROJECT}},
            },
        ),
        rf"{P}/uptimeCheckConfigs/\d+",
        [],
        {"timeout": "20s"},
    ),
    (
        (
            "gcp:monitoring/dashboard:Dashboard",
            {"dashboardJson": '{"displayName": "d", "gridLayout": {"columns": "2"}}'},
        ),
        rf"projects/{NUMBER}/dashboards/\d+",
        [],
        {"dashboardJson": '{"displayName": "e", "gridLayout": {"columns": "2"}}'},
    ),
    (
        (
            "gcp:billing/budget:Budget",
            {
                "billingAccount": "000000-000000-000000",
                "displayName": "b",
                "amount": {"specifiedAmount": {"currencyCode": "USD", "units": "100"}},
                "thresholdRules": [{"thresholdPercent": 0.5}],
            },
        ),
        r"billingAccounts/000000-000000-000000/budgets/\d+",
        [],
        {"displayName": "c"},
    ),
    (
        ("gcp:serviceaccount/key:Key", {"serviceAccountId": EMAIL}),
        rf"{P}/serviceAccounts/{EMAIL}/keys/[0-9a-f]{{40}}",
        [ACCOUNT],
        {},
    ),
    (
        ("gcp:storage/hmacKey:HmacKey", {"serviceAccountEmail": EMAIL}),
        rf"{P}/hmacKeys/GOOG1E\w{{55}}",
        [ACCOUNT],
        {"state": "INACTIVE"},
    ),
]
"""Types whose id the service makes: what makes one, the id's form, what comes before, a change in place."""
