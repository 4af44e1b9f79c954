//! Which quirk of the list is tested where, and whether we follow.

use std::path::Path;

/// What we do about a quirk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    /// The same as SOPS, because files or scripts depend on it.
    Follow,
    /// The same under the name `sops`; in our own name it is refused or kept, because something would be lost.
    FollowAsSops,
    /// SOPS crashes, leaks or loses something; we refuse or do it right.
    Otherwise,
}

use Do::{Follow, FollowAsSops, Otherwise};

/// The numbers of section 13 of the SOPS format, in order: what we do, and the test, as FILE::FUNCTION.
const QUIRKS: [(Do, &str); 75] = [
    (Otherwise, "quirks/tokens.rs::nonces_of_twelve_bytes_are_read_and_kept"),
    (Follow, "quirks/tokens.rs::swapped_items_open_and_the_code_tells"),
    (Otherwise, "quirks.rs::comments_in_lists_are_no_part_of_the_code"),
    (Otherwise, "quirks.rs::comments_in_lists_are_no_part_of_the_code"),
    (Follow, "quirks.rs::comments_in_lists_are_no_part_of_the_code"),
    (Follow, "quirks/tokens.rs::the_type_of_a_token_can_be_changed"),
    (Otherwise, "quirks/tokens.rs::bytes_are_text"),
    (Follow, "quirks.rs::junk_behind_a_token_is_read"),
    (Follow, "quirks/tokens.rs::an_emptied_value_is_noticed_by_the_code"),
    (Follow, "quirks/code.rs::the_time_is_bound_to_the_code"),
    (Follow, "quirks/code.rs::neighbours_in_clear_can_trade_letters"),
    (Follow, "quirks/code.rs::the_two_kinds_of_codes_differ"),
    (Otherwise, "quirks/line.rs::values_and_texts"),
    (Otherwise, "quirks/tokens.rs::equal_items_keep_their_own_tokens"),
    (FollowAsSops, "quirks.rs::an_invalid_pattern_is_refused_where_sops_writes_everything_in_clear"),
    (FollowAsSops, "quirks/printed.rs::numbers_times_and_texts_are_printed_in_another_spelling"),
    (FollowAsSops, "quirks/printed.rs::numbers_times_and_texts_are_printed_in_another_spelling"),
    (FollowAsSops, "quirks/printed.rs::numbers_times_and_texts_are_printed_in_another_spelling"),
    (FollowAsSops, "quirks/printed.rs::numbers_times_and_texts_are_printed_in_another_spelling"),
    (Follow, "quirks/printed.rs::what_no_token_holds_is_refused"),
    (Follow, "quirks/printed.rs::numbers_times_and_texts_are_printed_in_another_spelling"),
    (Otherwise, "quirks/printed.rs::numbers_times_and_texts_are_printed_in_another_spelling"),
    (Otherwise, "quirks/printed.rs::a_text_that_sops_loses_is_kept"),
    (FollowAsSops, "quirks/printed.rs::numbers_times_and_texts_are_printed_in_another_spelling"),
    (Follow, "quirks/line.rs::values_and_texts"),
    (Follow, "quirks/line.rs::values_and_texts"),
    (Follow, "quirks/line.rs::values_and_texts"),
    (Otherwise, "quirks/printed.rs::the_layout_is_kept_where_sops_prints_another"),
    (Follow, "quirks/printed.rs::files_without_a_document_are_refused"),
    (Follow, "quirks/printed.rs::files_without_a_document_are_refused"),
    (Follow, "quirks/printed.rs::the_layout_is_kept_where_sops_prints_another"),
    (Follow, "quirks/printed.rs::files_without_a_document_are_refused"),
    (Follow, "quirks/block.rs::the_first_documents_block_counts"),
    (Follow, "quirks/line.rs::values_and_texts"),
    (Follow, "quirks/printed.rs::what_no_token_holds_is_refused"),
    (Follow, "quirks/block.rs::a_time_without_quotes_is_refused"),
    (Otherwise, "quirks/printed.rs::the_layout_is_kept_where_sops_prints_another"),
    (Follow, "quirks/line.rs::values_and_texts"),
    (FollowAsSops, "quirks/printed.rs::json_with_more_than_an_object"),
    (Follow, "quirks/printed.rs::json_with_more_than_an_object"),
    (Follow, "quirks/printed.rs::json_with_more_than_an_object"),
    (Follow, "quirks/printed.rs::dotenv_lines_are_taken_literally"),
    (Follow, "quirks/printed.rs::dotenv_lines_are_taken_literally"),
    (Follow, "quirks/printed.rs::dotenv_lines_are_taken_literally"),
    (Follow, "quirks/printed.rs::dotenv_lines_are_taken_literally"),
    (FollowAsSops, "quirks/printed.rs::ini_as_its_reader_has_it"),
    (Follow, "quirks/printed.rs::ini_as_its_reader_has_it"),
    (Otherwise, "quirks/printed.rs::a_key_that_sops_corrupts_is_refused"),
    (Follow, "quirks/printed.rs::ini_as_its_reader_has_it"),
    (Follow, "quirks/printed.rs::ini_as_its_reader_has_it"),
    (Follow, "quirks/line.rs::files_and_flags"),
    (Follow, "quirks/line.rs::files_and_flags"),
    (Follow, "quirks.rs::binary_files_have_no_selector"),
    (Follow, "quirks/line.rs::files_and_flags"),
    (Follow, "quirks/line.rs::files_and_flags"),
    (Follow, "quirks/line.rs::files_and_flags"),
    (Follow, "quirks/line.rs::files_and_flags"),
    (Follow, "as_sops/codes.rs::variables_that_are_no_truth_values"),
    (Follow, "as_sops/flags.rs::encrypt"),
    (Follow, "as_sops/codes.rs::parameters_that_do_not_go_together"),
    (Otherwise, "as_sops/running.rs::what_is_edited_below_the_metadata_counts"),
    (Otherwise, "quirks/line.rs::an_empty_file_gives_an_empty_environment"),
    (Follow, "as_sops/running.rs::values_in_the_environment"),
    (Follow, "quirks/line.rs::files_and_flags"),
    (Otherwise, "quirks/line.rs::crashes_are_errors"),
    (Otherwise, "quirks/line.rs::crashes_are_errors"),
    (Follow, "quirks/line.rs::keys_and_rules"),
    (Otherwise, "quirks/line.rs::crashes_are_errors"),
    (Follow, "quirks/line.rs::files_and_flags"),
    (Otherwise, "publish/gcs.rs::destinations_go_by_the_path_as_typed_and_what_is_in_clear_stays_so"),
    (Follow, "as_sops/clouds.rs::a_context_on_the_line_reaches_keys_of_the_rules_in_the_old_form_only"),
    (Otherwise, "as_sops/clouds.rs::the_version_of_a_key_is_not_looked_for_before_it_is_needed"),
    (Follow, "quirks/block.rs::the_version_of_a_file_stays"),
    (Follow, "as_sops/flags.rs::keys_of_a_file"),
    (Follow, "quirks/block.rs::a_threshold_over_one_group_is_harmless"),
];

#[test]
fn every_quirk_has_a_test() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/secrets"));
    let mut kinds = [0; 3];
    for (number, (what, test)) in (1..).zip(QUIRKS) {
        let (file, function) = test.split_once("::").unwrap();
        let source = std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {function}(")), "quirk {number}: {test} is not there");
        kinds[what as usize] += 1;
    }
    assert_eq!(kinds.iter().sum::<i32>(), 75);
}
