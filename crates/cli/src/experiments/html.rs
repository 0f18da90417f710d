//! Pieces of HTML that is also well-formed XML.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// `text` with the characters that mean something in HTML replaced.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// A number with its exact value for programs.
pub fn figure(value: f64, text: &str) -> String {
    format!(r#"<data value="{value}">{text}</data>"#)
}

/// A share as a percentage with `digits` digits, without its sign.
pub fn percent(share: f32, digits: usize) -> String {
    figure(f64::from(share), &format!("{:.digits$}", 100.0 * share))
}

/// A count with its thousands set apart.
pub fn thousands(count: usize) -> String {
    match count {
        0..1_000 => count.to_string(),
        _ => format!("{},{:03}", count / 1_000, count % 1_000),
    }
}

pub fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

/// A mark at an axis, `top` of its height from the top.
pub fn tick(top: f32, text: &str) -> String {
    format!(
        "<span class=\"tick\" style=\"top:{:.2}%\">{text}</span>",
        100.0 * top
    )
}
