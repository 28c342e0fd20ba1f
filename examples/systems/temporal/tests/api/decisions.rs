//! §1.6: who may call what.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use tonic::Code::{self, InvalidArgument, Ok, PermissionDenied, Unimplemented};

use crate::server::{
    DESCRIBE, HEALTH, LIST, START, SYSTEM_INFO, Temporal, UPDATE, bearer, code, message, temporal,
    token,
};

const WORKFLOW: &str = "/temporal.api.workflowservice.v1.WorkflowService/";
const OPERATOR: &str = "/temporal.api.operatorservice.v1.OperatorService/";
const NEXUS: &str = "/temporal.api.nexusservice.v1.NexusService/";
const ADMIN: &str = "/temporal.server.api.adminservice.v1.AdminService/";

/// The section's table, written down apart from the program's.
fn table() -> Vec<[&'static str; 3]> {
    let lines = include_str!("methods.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(' ').collect::<Vec<_>>().try_into().unwrap()).collect()
}

/// Where messages name their namespace, if not in field 1.
fn field(path: &str) -> u8 {
    match path.rsplit('/').next().unwrap() {
        "RecordActivityTaskHeartbeat"
        | "RespondActivityTaskCompleted"
        | "RespondActivityTaskFailed"
        | "RespondActivityTaskCanceled" => 4,
        "RespondWorkflowTaskFailed" | "RespondQueryTaskCompleted" => 6,
        "RespondWorkflowTaskCompleted" => 9,
        "AddSearchAttributes" | "RemoveSearchAttributes" => 2,
        _ => 1,
    }
}

#[test]
fn s1_6_the_table_has_every_method() {
    let mut counts = HashMap::new();
    for [path, ..] in table() {
        let service = [WORKFLOW, OPERATOR, NEXUS].into_iter().find(|name| path.starts_with(name));
        *counts.entry(service.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(counts, [(WORKFLOW, 123), (OPERATOR, 12), (NEXUS, 5)].into());
}

#[test]
fn s1_6_each_method_asks_for_its_level_where_its_scope_says() {
    let temporal = temporal();
    let tokens: Vec<_> = ["worker", "read", "write", "admin"]
        .iter()
        .enumerate()
        .flat_map(|(rank, level)| {
            let places = ["default", "other", "temporal-system"];
            places.map(|place| (place, rank, bearer(&token(&[&format!("{place}:{level}")]))))
        })
        .collect();
    for [path, scope, access] in table() {
        if path == SYSTEM_INFO {
            continue;
        }
        let allowed = if path.starts_with(NEXUS) { Unimplemented } else { Ok };
        let needed = ["ReadOnly", "Write", "Admin"].iter().position(|own| *own == access).unwrap();
        let ask =
            |values: &[&str]| code(&temporal.call(path, values, message(field(path), "default")));
        for (place, rank, token) in &tokens {
            let counts =
                *place == "temporal-system" || (*place == "default" && scope == "namespace");
            let expected = if counts && *rank > needed { allowed } else { PermissionDenied };
            assert_eq!(ask(&[token]), expected, "{path} {place} {rank}");
        }
        assert_eq!(ask(&[]), PermissionDenied, "{path}");
    }
}

#[test]
fn s1_6_health_and_system_info_are_open_and_health_says_serving() {
    let temporal = temporal();
    let nobody = token(&[]);
    for values in [&[][..], &[&*bearer(&nobody)]] {
        assert_eq!(temporal.call(HEALTH, values, Bytes::new()).unwrap(), [8, 1][..]);
        assert_eq!(temporal.call(SYSTEM_INFO, values, Bytes::new()).unwrap(), [][..]);
    }
    let watch = temporal.call("/grpc.health.v1.Health/Watch", &[], Bytes::new());
    assert_eq!(code(&watch), PermissionDenied);
}

#[test]
fn s1_6_what_is_not_listed_is_denied_to_everyone() {
    let temporal = temporal();
    let admin = bearer(&token(&["temporal-system:admin"]));
    for path in [
        "/temporal.api.workflowservice.v1.WorkflowService/Nothing",
        "/temporal.api.workflowservice.v1.WorkflowService/describeNamespace",
        "/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace/",
        "/temporal.api.workflowservice.v1.WorkflowService/",
        "//temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace",
        "/temporal.api.workflowservice.v1.WorkflowService/%44escribeNamespace",
        "/temporal.server.api.historyservice.v1.HistoryService/GetShard",
        "/temporal.server.api.matchingservice.v1.MatchingService/PollWorkflowTaskQueue",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/",
    ] {
        for values in [&[][..], &[&*admin]] {
            let result = temporal.call(path, values, message(1, "default"));
            assert_eq!(code(&result), PermissionDenied, "{path}");
        }
    }
}

#[test]
fn s1_6_every_method_of_the_admin_service_is_the_clusters_and_for_admins() {
    let temporal = temporal();
    for method in ["DescribeMutableState", "RebuildMutableState", "WhateverComesNext"] {
        let path = format!("{ADMIN}{method}");
        for (permission, expected) in [
            ("temporal-system:admin", Unimplemented),
            ("temporal-system:write", PermissionDenied),
            ("default:admin", PermissionDenied),
        ] {
            assert_eq!(temporal.ask(&path, &token(&[permission])), expected, "{permission}");
        }
    }
}

#[test]
fn s1_6_roles_are_compared_as_numbers() {
    let temporal = temporal();
    for (permissions, allowed) in [
        (&["default:worker"][..], 0),
        (&["default:worker", "default:read"], 1),
        (&["default:worker", "default:write"], 2),
        (&["default:read", "temporal-system:worker"], 1),
        // Without the lower bits.
        (&["default:admin"], 3),
        (&["temporal-system:admin"], 3),
        (&["default:read", "temporal-system:write"], 2),
    ] {
        let token = token(permissions);
        let codes = [DESCRIBE, START, UPDATE].map(|path| temporal.ask(path, &token));
        let expected = [1, 2, 3].map(|rank| if rank <= allowed { Ok } else { PermissionDenied });
        assert_eq!(codes, expected, "{permissions:?}");
    }
}

#[test]
fn s1_6_the_namespace_of_the_message_is_compared_exactly() {
    let temporal = temporal();
    let token = token(&["default:read"]);
    for namespace in ["Default", "default ", " default", "defaul", "default\0", "", "other"] {
        assert_eq!(temporal.ask_in(DESCRIBE, &token, namespace), PermissionDenied, "{namespace}");
    }
    // A message without one is about the namespace without a name.
    let result = temporal.call(DESCRIBE, &[&bearer(&token)], Bytes::new());
    assert_eq!(code(&result), PermissionDenied);
}

/// What comes of a message that is made of several.
fn joined(temporal: &Temporal, path: &str, permission: &str, parts: &[Bytes]) -> Code {
    let parts: BytesMut = parts.iter().flat_map(|part| part.iter().copied()).collect();
    code(&temporal.call(path, &[&bearer(&token(&[permission]))], parts.freeze()))
}

#[test]
fn s1_6_of_two_namespaces_the_last_is_the_target() {
    let temporal = temporal();
    let (own, other) = (message(1, "default"), message(1, "other"));
    for (parts, expected) in [
        ([other.clone(), own.clone()], Ok),
        ([own.clone(), other.clone()], PermissionDenied),
        ([own.clone(), message(1, "")], PermissionDenied),
        ([own.clone(), message(2, "other")], Ok),
        ([message(2, "default"), other], PermissionDenied),
    ] {
        assert_eq!(joined(&temporal, DESCRIBE, "default:read", &parts), expected, "{parts:?}");
    }
    // The same key, encoded in two bytes.
    let long_key = Bytes::from_static(b"\x8a\0\x05other");
    let parts = [own, long_key];
    assert_eq!(joined(&temporal, DESCRIBE, "default:read", &parts), PermissionDenied);
}

#[test]
fn s1_6_only_the_field_of_the_method_names_its_namespace() {
    let temporal = temporal();
    let path = &format!("{WORKFLOW}RespondWorkflowTaskCompleted");
    let call = |parts: &[Bytes]| joined(&temporal, path, "default:write", parts);
    assert_eq!(call(&[message(9, "default")]), Ok);
    assert_eq!(call(&[message(1, "default")]), PermissionDenied);
    assert_eq!(call(&[message(1, "other"), message(9, "default")]), Ok);
    assert_eq!(call(&[message(1, "default"), message(9, "other")]), PermissionDenied);
    // A number is no namespace, wherever it is to be a text.
    assert_eq!(call(&[Bytes::from_static(&[9 << 3, 1])]), InvalidArgument);
    assert_eq!(call(&[Bytes::from_static(&[1 << 3, 1]), message(9, "default")]), Ok);
}

#[test]
fn s1_6_a_namespace_is_nothing_to_the_clusters_methods() {
    let temporal = temporal();
    for path in [LIST, &format!("{OPERATOR}ListClusters")] {
        assert_eq!(temporal.ask(path, &token(&["default:admin"])), PermissionDenied);
        assert_eq!(temporal.ask(path, &token(&[":admin"])), PermissionDenied);
        assert_eq!(temporal.ask(path, &token(&["temporal-system:admin"])), Ok);
    }
}

/// Without cross-namespace commands, a command's namespace is not looked at.
#[test]
fn s1_6_commands_of_other_namespaces_are_not_asked_for_by_default() {
    let temporal = temporal();
    let path = format!("{WORKFLOW}RespondWorkflowTaskCompleted");
    let parts = [message(2, "a command about another namespace"), message(9, "default")];
    assert_eq!(joined(&temporal, &path, "default:write", &parts), Ok);
}
