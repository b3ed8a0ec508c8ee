//! Nobody's program breaks: what is built today still holds what the baseline promised.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet, MethodDescriptorProto};

use crate::descriptors::{Contract, Difference};

const BASELINE: &str = include_str!("../golden/descriptors.txt");
const REFRESH: &str = "cargo run --release -p renkei-wire --example refresh";

fn today() -> FileDescriptorSet {
    FileDescriptorSet::decode(renkei_wire::DESCRIPTORS).expect("the build script encoded it")
}

/// What the comparison says when only `plant` was done to today's descriptors.
fn differences_after(plant: impl FnOnce(&mut FileDescriptorSet)) -> Vec<Difference> {
    let mut changed = today();
    plant(&mut changed);
    Contract::of(&today()).differences(&Contract::of(&changed))
}

fn message<'a>(set: &'a mut FileDescriptorSet, package: &str, name: &str) -> &'a mut DescriptorProto {
    let file = set.file.iter_mut().find(|file| file.package() == package).expect(package);
    file.message_type.iter_mut().find(|message| message.name() == name).expect(name)
}

fn get_record(set: &mut FileDescriptorSet) -> &mut DescriptorProto {
    message(set, "renkei.node.v1", "GetRecord")
}

fn execute(set: &mut FileDescriptorSet) -> &mut MethodDescriptorProto {
    let file = set.file.iter_mut().find(|file| file.package() == "renkei.node.v1").expect("the node's file");
    &mut file.service[0].method[0]
}

fn changed(entry: &str, aspect: &'static str, was: &str, is: &str) -> Difference {
    Difference::Changed { entry: entry.to_owned(), aspect, was: was.to_owned(), is: is.to_owned() }
}

#[test]
fn today_holds_the_baseline_and_the_baseline_holds_today() {
    let baseline = Contract::from_text(BASELINE).expect("the baseline reads");
    let differences = baseline.differences(&Contract::of(&today()));
    let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{}\nadditions are written down by `{REFRESH}`", lines.join("\n"));
}

#[test]
fn the_baseline_is_in_its_canonical_form() {
    assert_eq!(Contract::of(&today()).to_text(), BASELINE, "written by `{REFRESH}`");
}

#[test]
fn a_line_of_another_form_is_not_read() {
    assert_eq!(Contract::from_text("message"), None);
    assert_eq!(Contract::from_text("field a.B.c size=3"), None);
    assert_eq!(Contract::from_text("field a.B.c number"), None);
}

#[test]
fn a_removed_field_is_caught() {
    let found = differences_after(|set| drop(get_record(set).field.remove(1)));
    assert_eq!(found, [Difference::Removed { entry: "field renkei.node.v1.GetRecord.version".to_owned() }]);
    assert!(found[0].is_breaking());
}

#[test]
fn a_renumbered_field_is_caught() {
    let found = differences_after(|set| get_record(set).field[1].number = Some(9));
    assert_eq!(found, [changed("field renkei.node.v1.GetRecord.version", "number", "2", "9")]);
    assert!(found[0].is_breaking());
}

#[test]
fn a_retyped_field_is_caught() {
    let found = differences_after(|set| get_record(set).field[1].set_type(Type::Sint32));
    assert_eq!(found, [changed("field renkei.node.v1.GetRecord.version", "type", "uint32", "sint32")]);
}

#[test]
fn a_field_of_another_message_is_caught() {
    let found = differences_after(|set| {
        message(set, "renkei.node.v1", "FoundRecord").field[0].type_name = Some(".renkei.node.v1.Stored".to_owned());
    });
    let entry = "field renkei.node.v1.FoundRecord.entry";
    assert_eq!(found, [changed(entry, "type", "renkei.node.v1.RecordEntry", "renkei.node.v1.Stored")]);
}

#[test]
fn a_changed_label_is_caught() {
    let entry = "field renkei.node.v1.GetRecord.version";
    let repeated = differences_after(|set| get_record(set).field[1].set_label(Label::Repeated));
    assert_eq!(repeated, [changed(entry, "label", "plain", "repeated")]);
    let optional = differences_after(|set| get_record(set).field[1].proto3_optional = Some(true));
    assert_eq!(optional, [changed(entry, "label", "plain", "optional")]);
}

#[test]
fn a_field_that_leaves_its_oneof_is_caught() {
    let found = differences_after(|set| {
        let request = message(set, "renkei.node.v1", "Request");
        let get = request.field.iter_mut().find(|field| field.name() == "get").expect("requests hold a get");
        get.oneof_index = None;
    });
    assert_eq!(found, [changed("field renkei.node.v1.Request.get", "label", "oneof:operation", "plain")]);
}

#[test]
fn a_reused_number_is_caught() {
    let found = differences_after(|set| get_record(set).field[1].name = Some("newest".to_owned()));
    let entry = "field renkei.node.v1.GetRecord.newest".to_owned();
    let was = "field renkei.node.v1.GetRecord.version".to_owned();
    assert!(found.contains(&Difference::Removed { entry: was.clone() }));
    assert!(found.contains(&Difference::Reused { entry, number: "2".to_owned(), was }));
}

#[test]
fn a_removed_message_is_caught() {
    let found = differences_after(|set| {
        let file = set.file.iter_mut().find(|file| file.package() == "renkei.node.v1").expect("the node's file");
        file.message_type.retain(|message| message.name() != "Cancel");
    });
    assert_eq!(found, [Difference::Removed { entry: "message renkei.node.v1.Cancel".to_owned() }]);
}

#[test]
fn a_removed_and_a_renumbered_enum_value_are_caught() {
    let lane = |set: &mut FileDescriptorSet, plant: fn(&mut prost_types::EnumDescriptorProto)| {
        let file = set.file.iter_mut().find(|file| file.package() == "renkei.peer.v1").expect("the peers' file");
        plant(&mut file.enum_type[0]);
    };
    let entry = "value renkei.peer.v1.Lane.LANE_SNAPSHOT";
    let removed = differences_after(|set| lane(set, |lane| drop(lane.value.pop())));
    assert_eq!(removed, [Difference::Removed { entry: entry.to_owned() }]);
    let renumbered = differences_after(|set| lane(set, |lane| lane.value[3].number = Some(7)));
    assert_eq!(renumbered, [changed(entry, "number", "3", "7")]);
}

#[test]
fn a_removed_call_is_caught() {
    let found = differences_after(|set| execute(set).name = Some("Run".to_owned()));
    assert!(found.contains(&Difference::Removed { entry: "rpc renkei.node.v1.NodeService.Execute".to_owned() }));
}

#[test]
fn a_call_that_begins_to_stream_is_caught() {
    let entry = "rpc renkei.node.v1.NodeService.Execute";
    let gives = differences_after(|set| execute(set).server_streaming = Some(true));
    assert_eq!(gives, [changed(entry, "gives", "one:renkei.node.v1.Reply", "stream:renkei.node.v1.Reply")]);
    let takes = differences_after(|set| execute(set).client_streaming = Some(true));
    assert_eq!(takes, [changed(entry, "takes", "one:renkei.node.v1.Request", "stream:renkei.node.v1.Request")]);
}

#[test]
fn an_addition_is_no_breach_but_must_be_written_down() {
    let found = differences_after(|set| {
        let mut field = get_record(set).field[1].clone();
        field.name = Some("newest".to_owned());
        field.number = Some(9);
        get_record(set).field.push(field);
    });
    assert_eq!(found, [Difference::Added { entry: "field renkei.node.v1.GetRecord.newest".to_owned() }]);
    assert!(!found[0].is_breaking());
}
