//! The demo's story, and that the demo notices an answer that is not as expected.

use std::path::Path;
use std::process::Stdio;

use scenarios::stack::root;
use tokio::process::Command;

use crate::desk::built;

async fn tell(folder: &Path) -> (bool, String) {
    built().await;
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    let output = demo.arg("--built").arg(folder).stderr(Stdio::null()).output().await.unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_tells_its_story_and_fails_where_one_amount_is_not_as_expected() {
    let sample = root().join("events").join("transit");
    let (told, output) = tell(&sample).await;
    assert!(told, "{output}");
    assert!(output.contains("answered as expected"), "{output}");

    let copy = std::env::temp_dir().join(format!("accrue-story-{}", scenarios::client::key()));
    std::fs::create_dir_all(&copy).unwrap();
    for file in std::fs::read_dir(&sample).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    let story = std::fs::read_to_string(copy.join("story.json")).unwrap();
    let changed = story.replacen("\"spent\": \"50\"", "\"spent\": \"51\"", 1);
    assert_ne!(story, changed, "the story expects a spend of 50");
    std::fs::write(copy.join("story.json"), changed).unwrap();
    let (told, output) = tell(&copy).await;
    assert!(!told, "{output}");
    std::fs::remove_dir_all(&copy).unwrap();
}
