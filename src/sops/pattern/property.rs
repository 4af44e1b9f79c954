//! The Unicode classes that Go's `\p{…}` can name: general categories and scripts, nothing else.
//!
//! A rule with another name is one that SOPS ignores, which leaves what it was to encrypt in clear.
//!
//! *Source*: the real program, which is built with Go 1.26 and its Unicode 15.

/// Sets of categories; without the separators and the capitals, which Go skips.
const CATEGORIES: &str = "any ascii assigned \
    c cc cf cn co cs cntrl control format other privateuse surrogate unassigned \
    l lc ll lm lo lt lu casedletter letter lowercaseletter modifierletter otherletter titlecaseletter uppercaseletter \
    m mc me mn combiningmark enclosingmark mark nonspacingmark spacingmark \
    n nd nl no decimalnumber digit letternumber number othernumber \
    p pc pd pe pf pi po ps closepunctuation connectorpunctuation dashpunctuation finalpunctuation initialpunctuation \
    openpunctuation otherpunctuation punct punctuation \
    s sc sk sm so currencysymbol mathsymbol modifiersymbol othersymbol symbol \
    z zl zp zs lineseparator paragraphseparator separator spaceseparator";

/// Scripts of one word; Go 1.26 finds none of several.
const SCRIPTS: &str = "adlam ahom arabic armenian avestan balinese bamum batak bengali bhaiksuki bopomofo brahmi \
    braille buginese buhid carian chakma cham cherokee chorasmian common coptic cuneiform cypriot cyrillic deseret \
    devanagari dogra duployan elbasan elymaic ethiopic georgian glagolitic gothic grantha greek gujarati gurmukhi han \
    hangul hanunoo hatran hebrew hiragana inherited javanese kaithi kannada katakana kawi kharoshthi khmer khojki \
    khudawadi lao latin lepcha limbu lisu lycian lydian mahajani makasar malayalam mandaic manichaean marchen \
    medefaidrin miao modi mongolian mro multani myanmar nabataean nandinagari newa nko nushu ogham oriya osage osmanya \
    palmyrene phoenician rejang runic samaritan saurashtra sharada shavian siddham sinhala sogdian soyombo sundanese \
    syriac tagalog tagbanwa takri tamil tangsa tangut telugu thaana thai tibetan tifinagh tirhuta toto ugaritic vai \
    vithkuqi wancho yezidi yi";

/// How the class, or what is not in it, is spelled for us, in brackets and outside of them; `None` if Go has no such name.
pub(super) fn respelled(name: &str, negated: bool) -> Option<String> {
    let known: String = name.chars().filter(|letter| !matches!(letter, ' ' | '_' | '-')).collect();
    let known = known.to_ascii_lowercase();
    let is_in = |names: &str| names.split(' ').any(|name| name == known);
    match (known.as_str(), negated) {
        // No text holds a surrogate; it has no class here.
        ("cs" | "surrogate", false) => Some("[a&&b]".to_owned()),
        ("cs" | "surrogate", true) => Some(r"[\x{0}-\x{10FFFF}]".to_owned()),
        (_, negated) if is_in(CATEGORIES) || is_in(SCRIPTS) => {
            Some(format!(r"\{}{{{known}}}", if negated { 'P' } else { 'p' }))
        }
        _ => None,
    }
}
