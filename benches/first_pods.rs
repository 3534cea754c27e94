//! A thousand Pods of one new image at once: what the registry is asked.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    answer::Expected,
    load::Connection,
    process::Home,
    registry,
    reviews::Review,
    table::{Floor, Row, Table, millis},
};

const PODS: usize = 1_000;
const NAME: &str = "1,000 first Pods of one image";

// The registry answers while the Pods are still arriving.
const ROUND_TRIP: Duration = Duration::from_millis(20);

const ENV: usize = 10;

pub(crate) async fn rows(table: &Table) -> Result<()> {
    if !table.wants(NAME) {
        return Ok(());
    }
    let repositories = registry::repositories(1);
    let registry = registry::start(ROUND_TRIP, &repositories, &["dev"]).await;
    let images = registry::images(&registry, &repositories, "dev");
    let home = Home::new(std::slice::from_ref(&registry))?;
    let cotter = home.start()?;
    let webhook = cotter.target("/mutate");
    // An API server opens a connection for each call that is in flight.
    let open = Connection::open_many(&webhook, &Expected::pinned(1), PODS).await?;
    let review = Review::of_pod(&images, ENV, 1);
    let took = all_at_once(open, review).await?;
    let counts = registry.take_counts();
    let asked = [counts.challenges, counts.tokens, counts.heads + counts.gets];
    table.print(&Row {
        name: NAME.to_owned(),
        figure: asked.map(|count| count.to_string()).join("/"),
        beside: format!(
            "challenges / token requests / authorised manifest requests; all answered after {}",
            millis(took)
        ),
        floor: Some(Floor::exactly("= 1/1/1", asked == [1, 1, 1])),
    })
}

async fn all_at_once(open: Vec<Connection>, review: Review) -> Result<Duration> {
    let review = Arc::new(review);
    let barrier = Arc::new(Barrier::new(PODS + 1));
    let mut senders = JoinSet::new();
    for mut connection in open {
        let (review, barrier) = (Arc::clone(&review), Arc::clone(&barrier));
        senders.spawn(async move {
            barrier.wait().await;
            connection.send(&review).await
        });
    }
    barrier.wait().await;
    let start = Instant::now();
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    Ok(start.elapsed())
}
