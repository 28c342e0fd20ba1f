//! Names in scopes.

/// The domains.
pub(super) const DOMAINS: &[&str] = &[
    "acls",
    "agent_workers",
    "ai",
    "ai_evals",
    "amqp_triggers",
    "apps",
    "audit",
    "azure_triggers",
    "capture",
    "concurrency_groups",
    "configs",
    "data_metrics",
    "docs",
    "drafts",
    "email_triggers",
    "favorites",
    "flow_conversations",
    "flows",
    "folders",
    "gcp_triggers",
    "git_sync",
    "groups",
    "http_triggers",
    "indexer",
    "inputs",
    "job_helpers",
    "jobs",
    "kafka_triggers",
    "mcp",
    "mqtt_triggers",
    "native_triggers",
    "nats_triggers",
    "oauth",
    "oidc",
    "openapi",
    "postgres_triggers",
    "raw_apps",
    "resources",
    "schedules",
    "scripts",
    "service_logs",
    "settings",
    "sqs_triggers",
    "teams",
    "triggers_history",
    "users",
    "variables",
    "websocket_triggers",
    "workers",
    "workspaces",
];

/// Other names of domains.
pub(super) const ALIASES: &[(&str, &str)] =
    &[("apps_u", "apps"), ("github_app", "git_sync"), ("jobs_u", "jobs"), ("srch", "indexer")];

/// Forms of old tokens, and what became of them.
pub(super) const OLD: &[(&str, &str)] = &[
    ("jobs:deletejob", "jobs:write"),
    ("jobs:listjobs", "jobs:read"),
    ("jobs:resumeflow", "jobs:run:flows"),
    ("jobs:runflow", "jobs:run:flows"),
    ("jobs:runscript", "jobs:run:scripts"),
];

/// What old tokens began with, and what stands there now.
pub(super) const OLD_STARTS: &[(&str, &str)] =
    &[("run:flow/", "jobs:run:flows:"), ("run:script/", "jobs:run:scripts:")];
