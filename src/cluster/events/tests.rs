use rstest::rstest;

use super::*;

fn entry(note: &str) -> Entry {
    Entry {
        about: About::default(),
        what: What::warning("ConfigRefused", "Reload"),
        note: note.into(),
    }
}

#[test]
fn the_same_one_is_written_once_in_five_minutes_with_its_count() {
    let (mut book, start) = (Book::default(), Instant::now());
    assert_eq!(book.step(&entry("a"), start), Step::Create);
    book.written(entry("a"), "a.1".into(), start);
    let soon = start + Duration::from_secs(299);
    assert_eq!(book.step(&entry("a"), soon), Step::Hold);
    let again = start + Duration::from_mins(5);
    let repeat = Step::Repeat("a.1".into(), 3);
    assert_eq!(book.step(&entry("a"), again), repeat);
    assert_eq!(book.step(&entry("a"), again), Step::Hold);
    let forgotten = again + LIFE;
    assert_eq!(book.step(&entry("a"), forgotten), Step::Create);
}

#[test]
fn another_text_is_another_event() {
    let (mut book, now) = (Book::default(), Instant::now());
    book.written(entry("a"), "a.1".into(), now);
    assert_eq!(book.step(&entry("b"), now), Step::Create);
}

#[test]
fn the_book_is_bounded() {
    let (mut book, now) = (Book::default(), Instant::now());
    for n in 0..MOST + 10 {
        book.written(entry(&n.to_string()), String::new(), now);
    }
    assert_eq!(book.known.len(), MOST);
}

#[rstest]
#[case::one_line("no such tag", "no such tag")]
#[case::several_lines("a\n\nb\r\nc", "a; b; c")]
#[case::a_terminal_sequence("\u{1b}[2Jred\tgreen", " [2Jred green")]
fn a_note_is_one_printable_line(#[case] text: &str, #[case] line: &str) {
    assert_eq!(printable(text), line);
}

#[test]
fn a_note_fits_the_api_and_is_cut_between_characters() {
    let note = cut(&"ä".repeat(600), LONGEST_NOTE);
    assert!(note.len() <= LONGEST_NOTE && note.len() > LONGEST_NOTE - 4);
    assert!(note.ends_with("ä…"));
    assert_eq!(cut("short", LONGEST_NOTE), "short");
}
