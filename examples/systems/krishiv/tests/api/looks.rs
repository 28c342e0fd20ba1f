//! How the page looks: on narrow and wide screens, in light and dark, in each of its states.
//!
//! The pictures are left in the target folder, in `tmp/krishiv-page`, for people to look at.

use std::{fs, path::Path};

use base64_simd::STANDARD;
use serde_json::json;

use crate::{browser::Shown, server::World};

/// The contrast of each text with what is behind it, where it is less than [WCAG 2.2 §1.4.3] asks for.
///
/// [WCAG 2.2 §1.4.3]: https://www.w3.org/TR/WCAG22/#contrast-minimum
const FAINT: &str = r"(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\d.]+/g).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (color !== 'rgba(0, 0, 0, 0)') return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility()
    && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.flatMap((element) => {
    const [a, b] = [getComputedStyle(element).color, behind(element)].map(light).sort((a, b) => b - a);
    const ratio = (a + 0.05) / (b + 0.05);
    return ratio < 4.5 ? [`${element.textContent}: ${ratio}`] : [];
  });
})()";

/// Elements that reach out of the screen at the side, and controls that are small or without a name.
const FAULTS: &str = r"(() => {
  const visible = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility());
  const wide = visible.filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
  const named = (element) => element.labels?.length || element.ariaLabel || element.textContent.trim();
  const nameless = visible.filter((element) => element.matches('button, input') && !named(element));
  const small = visible.filter((element) => element.matches('button, input')
    && element.getBoundingClientRect().height < 24);
  return [...wide, ...nameless, ...small].map((element) => element.outerHTML);
})()";

/// Of the message and the button that was pressed, what cannot be seen without scrolling.
const OUT_OF_SIGHT: &str = "[document.querySelector('#message'), document.activeElement] \
    .map((element) => element.getBoundingClientRect()) \
    .filter(({ top, bottom }) => top < -1 || bottom > innerHeight + 1)";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_fits_and_can_be_read_on_narrow_and_wide_screens_in_light_and_dark() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("krishiv-page");
    fs::create_dir_all(&folder).unwrap();
    let subject =
        format!("{}@an-identity-provider-with-a-long-name.example.com", "alice".repeat(12));
    let token = world.token().subject(subject).claim("krishiv_role", "reader").build();
    for state in ["out", "bad", "in", "rejected"] {
        match state {
            "bad" => {
                page.sign_in(&world.token().expired().build()).await;
                page.until_says("expired").await;
            }
            "in" => {
                page.sign_in(&token).await;
                page.tab.until("!document.querySelector('#signed-in').hidden").await;
            }
            _ => {}
        }
        // The third is a wide screen at a zoom of 200 %, and the last what WCAG 2.2 §1.4.10 asks for.
        for (name, width, scale) in [("wide", 1280, 1), ("zoomed", 640, 2), ("narrow", 320, 2)] {
            let screen = json!({
                "width": width, "height": 720, "deviceScaleFactor": scale, "mobile": false,
            });
            page.tab.command("Emulation.setDeviceMetricsOverride", screen).await;
            if state == "rejected" {
                for (button, role) in [("#submit", "Writer"), ("#jobs button", "Admin")] {
                    page.tab.click(button).await;
                    page.until_says(&format!("required role {role}")).await;
                    assert_eq!(page.tab.evaluate(OUT_OF_SIGHT).await, json!([]), "{button} {name}");
                }
            }
            for scheme in ["light", "dark"] {
                let media =
                    json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
                page.tab.command("Emulation.setEmulatedMedia", media).await;
                page.tab.evaluate("scrollTo(0, 0)").await;
                let shot = json!({"captureBeyondViewport": true});
                let picture = page.tab.command("Page.captureScreenshot", shot).await;
                let picture = STANDARD.decode_to_vec(picture["data"].as_str().unwrap()).unwrap();
                fs::write(folder.join(format!("{state}-{name}-{scheme}.png")), picture).unwrap();
                for (what, faults) in [("too faint", FAINT), ("out of place", FAULTS)] {
                    let faults = page.tab.evaluate(faults).await;
                    assert_eq!(faults, json!([]), "{what}: {state} {name} {scheme}");
                }
            }
        }
    }
    page.close(&[&token]).await;
}
