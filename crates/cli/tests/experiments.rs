//! The experiments' page, of few sounds and renders: made, made again from what was finished,
//! parsed, and opened in Chromium where there is one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mirrornet::encoder::EncoderChoice;
use mirrornet::experiments::{Options, Report, Sizes, page, run, sources};
use roxmltree::{Document, Node, ParsingOptions};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Renders of the search.
const RENDERS: usize = 30;
/// Sounds on the page: one of each experiment.
const SOUNDS: usize = 3;

fn options(out: &Path) -> Options {
    let mut foreign = sources::bundled().expect("the bundled melodies are whole");
    foreign.truncate(1);
    Options {
        clips: 1,
        foreign,
        unseen: 2,
        sizes: Sizes {
            ours: 200,
            random: 30,
            library: 60,
            blind: 48,
        },
        renders: RENDERS,
        out: out.into(),
        encoder: "builtin".into(),
        command: "mirrornet experiments <&>".into(),
    }
}

fn report(out: &Path) -> Report {
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../model-weights");
    let mut model = EncoderChoice::Builtin
        .load(&weights)
        .expect("the shipped model");
    let mut last = (0.0, 0.0);
    let report = run(options(out), &mut model, |progress| {
        assert!((0.0..=1.0).contains(&progress.share));
        last = (progress.share, progress.left.as_secs_f64());
    });
    assert_eq!(last, (1.0, 0.0));
    report.expect("all sounds have notes")
}

/// The report and the page, which are made once.
fn made() -> &'static (Report, String) {
    static MADE: OnceLock<(Report, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = report(folder.path());
        // A second run takes the finished results: equal times show that none was computed again.
        let again = report(folder.path());
        assert_eq!(first.json(), again.json());
        assert_eq!(page(&first), page(&again));
        let page = page(&first);
        (first, page)
    })
}

fn the_page() -> &'static str {
    &made().1
}

#[test]
fn figures_of_all_sounds_are_in_the_json() {
    let json = made().0.json();
    for id in ["own", "vibrato", "foreign"] {
        let experiment = &json["experiments"][id];
        let sounds = experiment["sounds"].as_array().expect("sounds");
        assert_eq!(sounds.len(), 1, "{id}");
        let of = |answer: &str, figure: &str| sounds[0]["answers"][answer][figure].as_f64();
        for figure in ["likeness", "mel", "spectral", "mfcc", "pitch"] {
            let mean = of("searched", figure).expect("a number");
            assert!(mean.is_finite(), "{figure}");
        }
        // A search keeps the better.
        assert!(
            of("searched", "likeness") >= of("encoder", "likeness"),
            "{id}"
        );
        assert!(of("searched", "seconds") > Some(0.0) && of("default", "seconds").is_none());
        let parameters = sounds[0]["parameters"].as_array().expect("parameters");
        assert_eq!(parameters.len(), synth::MATCHED_COUNT);
        assert!(
            parameters
                .iter()
                .all(|p| p["input"].is_number() == (id != "foreign"))
        );
    }
    let unseen = &json["unseen"];
    assert_eq!(unseen["sounds"].as_array().map(Vec::len), Some(2));
    for sound in unseen["sounds"].as_array().expect("sounds") {
        assert!(sound["renders"].as_u64() <= Some(200), "{sound}");
        // The library is more of what the random patches are.
        for baseline in ["random", "library", "blind", "default"] {
            let likeness = sound[baseline].as_f64().expect("a number");
            assert!((-1.0..=1.0).contains(&likeness), "{sound}");
        }
    }
    let win = &unseen["wins"]["CMA-ES"];
    assert!(
        win["low"].as_f64() <= win["high"].as_f64() && win["of"] == 2,
        "{win}"
    );
    assert!(made().0.text().contains("CMA-ES"));
}

/// The page as XML, which it is, too.
fn parsed() -> Document<'static> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(the_page(), options).expect("every element is closed")
}

/// All elements with the name `tag`.
fn all<'a>(document: &'a Document<'a>, tag: &str) -> Vec<Node<'a, 'a>> {
    let found = document.descendants().filter(|node| node.has_tag_name(tag));
    found.collect()
}

/// The contents of a data URI of a kind.
fn contents(uri: &str, kind: &str) -> Vec<u8> {
    let text = uri.strip_prefix(&format!("data:{kind};base64,"));
    let text = text.unwrap_or_else(|| panic!("no {kind} inside: {:.60}", uri));
    STANDARD.decode(text).expect("base64")
}

#[test]
fn sounds_are_inside_and_equally_loud() {
    let document = parsed();
    let players = all(&document, "audio");
    assert_eq!(players.len(), 3 * SOUNDS);
    for players in players.chunks(3) {
        equally_loud(players);
    }
}

/// Checks that the players of a sound have it whole and at one level.
fn equally_loud(players: &[Node<'_, '_>]) {
    let mut lengths = BTreeSet::new();
    let levels: Vec<f64> = players
        .iter()
        .map(|player| {
            assert!(player.attribute("controls").is_some());
            let uri = player.attribute("src").expect("a source");
            let sound = audio_file::read(&contents(uri, "audio/wav")).expect("a WAV file");
            assert_eq!((sound.rate, sound.channels.len()), (32_000, 1));
            let sound = &sound.channels[0];
            lengths.insert(sound.len());
            assert!(sound.iter().all(|x| x.abs() <= 0.91));
            let power: f64 = sound.iter().map(|x| f64::from(x * x)).sum();
            10.0 * (power / sound.len() as f64).log10()
        })
        .collect();
    assert!(
        levels.iter().all(|l| (l - levels[0]).abs() < 0.01),
        "{levels:?}"
    );
    assert!(
        levels[0] > -40.0 && lengths.len() == 1,
        "{levels:?} {lengths:?}"
    );
    assert!(lengths.iter().all(|&n| n >= 2 * 32_000), "{lengths:?}");
}

#[test]
fn pictures_are_inside_and_decode() {
    let document = parsed();
    let pictures = all(&document, "img");
    assert_eq!(pictures.len(), 2 * SOUNDS);
    for picture in pictures {
        let bytes = contents(picture.attribute("src").expect("a source"), "image/png");
        let mut reader = png::Decoder::new(bytes.as_slice())
            .read_info()
            .expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut pixels).expect("whole");
        // A column for each frame of 8 ms; something is drawn.
        assert!(info.width >= 2 * 125, "{}", info.width);
        assert!(pixels.iter().collect::<BTreeSet<_>>().len() > 50);
    }
}

#[test]
fn nothing_is_asked_of_a_network() {
    let document = parsed();
    for node in document.descendants() {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            if ["src", "href", "srcset", "poster", "action", "data"].contains(&name) {
                let inside = value.starts_with("data:") || value.starts_with('#');
                assert!(inside, "{name}={value:.60}");
            } else {
                assert!(!value.contains("//"), "{name}={value:.60}");
            }
        }
        let text = node.text().unwrap_or_default();
        for trace in ["http:", "https:", "url(", "@import", "fetch(", "import("] {
            assert!(!text.contains(trace), "{trace} in {:?}", node.tag_name());
        }
    }
    let policy = all(&document, "meta").into_iter().find_map(|meta| {
        let policy = meta.attribute("http-equiv") == Some("Content-Security-Policy");
        policy.then(|| meta.attribute("content").unwrap_or_default())
    });
    assert!(
        policy.is_some_and(|p| p.starts_with("default-src 'none';")),
        "{policy:?}"
    );
}

#[test]
fn names_lead_somewhere_and_everything_has_one() {
    let document = parsed();
    let ids: Vec<&str> = document
        .descendants()
        .filter_map(|n| n.attribute("id"))
        .collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    for node in document.descendants() {
        let links = node.attribute("href").and_then(|h| h.strip_prefix('#'));
        for id in node.attribute("aria-labelledby").into_iter().chain(links) {
            assert!(unique.contains(id), "nothing is called {id}");
        }
    }
    let named = |tag: &str, attribute: &str| {
        for node in all(&document, tag) {
            let name = node.attribute(attribute).unwrap_or_default();
            assert!(name.len() > 10, "{tag} without {attribute}: {name:?}");
        }
    };
    named("img", "alt");
    named("audio", "aria-label");
    assert_eq!(document.root_element().attribute("lang"), Some("en"));
    assert_eq!(all(&document, "h1").len(), 1);
    assert_eq!(all(&document, "title").len(), 1);
}

#[test]
fn figures_are_numbers() {
    let document = parsed();
    let figures = all(&document, "data");
    assert!(figures.len() > 10, "{}", figures.len());
    for figure in figures {
        let value: f64 = figure
            .attribute("value")
            .and_then(|v| v.parse().ok())
            .unwrap_or_else(|| panic!("{figure:?}"));
        assert!(value.is_finite());
        let shown = figure.text().unwrap_or_default();
        let number = |c: char| c.is_ascii_digit() || c == '-';
        assert!(shown.starts_with(number), "{shown:?}");
    }
    let text: String = document.descendants().filter_map(|n| n.text()).collect();
    for trace in ["NaN", "inf ", "{{", "}}"] {
        assert!(!text.contains(trace), "{trace}");
    }
    let curves = all(&document, "path").into_iter().filter(|path| {
        let class = path.attribute("class").unwrap_or_default();
        class.starts_with("curve")
    });
    let points = curves.map(|c| c.attribute("d").unwrap_or_default().matches('L').count());
    assert!(points.clone().count() == 2 * SOUNDS + 2 && points.min() > Some(2));
    assert_eq!(all(&document, "li").len(), SOUNDS * synth::MATCHED_COUNT);
}

/// Put first into the page: writes down, once all is loaded, what has gone wrong.
const CHECK: &str = r#"<script>
const wrong = [];
addEventListener("error", e => wrong.push("error: " + (e.message || e.target.outerHTML.slice(0, 80))), true);
addEventListener("securitypolicyviolation", e => wrong.push("blocked: " + e.blockedURI));
addEventListener("load", () => setTimeout(() => {
  for (const a of document.querySelectorAll("audio"))
    if (a.error || a.readyState < a.HAVE_CURRENT_DATA || !(a.duration >= 2)) wrong.push("player " + a.ariaLabel);
  for (const i of document.images) if (!i.naturalWidth) wrong.push("picture " + i.alt);
  for (const r of performance.getEntriesByType("resource"))
    if (!r.name.startsWith("data:")) wrong.push("asked for " + r.name);
  if (document.documentElement.scrollWidth > innerWidth) wrong.push("wider than the window");
  document.title = wrong.length ? "wrong: " + wrong.join("; ") : "all is well";
}, 200));
</script>"#;

/// A Chromium of this machine.
fn chromium() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&folders)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

#[test]
fn a_browser_plays_and_shows_everything() {
    let Some(chromium) = chromium() else {
        eprintln!("left out: there is no Chromium in the PATH to open the page with");
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("index.html");
    let checked = the_page().replacen("<head>", &format!("<head>{CHECK}"), 1);
    std::fs::write(&path, checked).expect("a temporary file");
    for width in [400, 1400] {
        let profile = folder.path().join(format!("profile-{width}"));
        let output = Command::new(&chromium)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--enable-logging=stderr",
                "--virtual-time-budget=20000",
                "--dump-dom",
            ])
            .arg(format!("--window-size={width},900"))
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("file://{}", path.display()))
            .output()
            .expect("Chromium starts");
        let dom = String::from_utf8_lossy(&output.stdout);
        let title = dom
            .split("<title>")
            .nth(1)
            .and_then(|t| t.split("</title>").next());
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(title, Some("all is well"), "at {width} pixels; {log}");
        assert!(!log.contains("CONSOLE"), "{log}");
    }
}
