//! A report as a fit on card payments would give it, its series as a fit on machines would, its images as one on
//! castings would, and the report of a restorer of photos: what the tests of the pages draw.

use narrows_images::{Channels, Image, Sheet};

use crate::detect::{Confusion, Estimate, RankPrecision, Reason};
use crate::recipe::{Data, ImageSettings, Recipe};
use crate::report::{
    AlbumReport, AnomalousStretch, Baseline, BaselineAreas, ChannelTrace, Check, CodePoint, ColumnReport,
    DensityReport, Detection, GenerationReport, Histogram, ImageQuality, ImagesReport, LayerReport, NetworkPart,
    NetworkReport, NewDataMetrics, NewDataReport, PcaComparison, Reconstruction, Report, Restoration, RestorationMeans,
    RestorerReport, Role, RowCounts, SeriesReport, Similarity, SkippedImage, Stop, StretchEvent, TopRow, Training,
    WindowExample, WorstImage,
};
use crate::sample_similarity::{ColumnDistance, Copies, Distance, SampleSimilarity};

const FEATURES: [(&str, &str, f64); 29] = [
    ("amount", "numeric", 0.91),
    ("fee", "numeric", 0.97),
    ("currency_rate", "numeric", 0.88),
    ("hour", "numeric", 0.42),
    ("weekday", "category", 0.71),
    ("merchant_category", "category", 0.83),
    ("country", "category", 0.94),
    ("card_country", "category", 0.95),
    ("card_type", "category", 0.89),
    ("entry_mode", "category", 0.96),
    ("is_online", "boolean", 0.995),
    ("is_recurring", "boolean", 0.97),
    ("has_3ds", "boolean", 0.93),
    ("attempts", "numeric", 0.37),
    ("seconds_since_last", "numeric", 0.12),
    ("payments_last_hour", "numeric", 0.66),
    ("payments_last_day", "numeric", 0.81),
    ("amount_last_day", "numeric", 0.84),
    ("amount_last_week", "numeric", 0.90),
    ("distance_home_km", "numeric", 0.58),
    ("distance_last_km", "numeric", 0.49),
    ("device_age_days", "numeric", 0.73),
    ("account_age_days", "numeric", 0.86),
    ("balance_before", "numeric", 0.92),
    ("balance_after", "numeric", 0.93),
    ("credit_limit", "numeric", 0.98),
    ("limit_used", "numeric", 0.94),
    ("created_at", "datetime", 0.77),
    ("browser_language_and_region_as_sent_by_the_client_before_normalisation", "category", 0.69),
];

/// What a fit finds in other payments, of which more are flagged than promised.
pub(crate) fn new_data() -> NewDataReport {
    let report = report();
    let counts = |i: usize| if i.is_multiple_of(3) { 7 } else { 2 };
    let n = report.detection.histogram.counts.len();
    let histogram = Histogram { counts: (0..n).map(counts).collect(), ..report.detection.histogram.clone() };
    let estimate = |value: f64| Estimate { value, low: value - 0.03, high: value + 0.03 };
    NewDataReport {
        source: "payments-2026.csv".to_owned(),
        rows: 1010,
        scored: 1000,
        anomalies: 42,
        detection: Detection { anomalies: Some(histogram), ..report.detection },
        top: report.top,
        notes: vec!["10 rows have no score".to_owned()],
        stretches: Vec::new(),
        worst: Vec::new(),
        worst_sheet: String::new(),
        metrics: Some(NewDataMetrics {
            n: 1000,
            n_anomalies: 30,
            auc_roc: estimate(0.94),
            auc_pr: estimate(0.61),
            f1: estimate(0.55),
            precision: Some(0.5),
            recall: 0.7,
            false_alarm_rate: 0.02,
            confusion: Confusion { true_positives: 21, false_positives: 21, true_negatives: 949, false_negatives: 9 },
            precision_at: vec![RankPrecision { k: 10, precision: 0.9, recall: 0.3 }],
            baselines: vec![BaselineAreas { name: "PCA".to_owned(), auc_roc: 0.81, auc_pr: 0.33 }],
        }),
    }
}

/// What is said of new rows.
pub(crate) fn generation() -> GenerationReport {
    let column =
        |column: &str, by, distance, missing| ColumnDistance { column: column.to_owned(), by, distance, missing };
    GenerationReport {
        density: DensityReport {
            words: "a mixture of 4 normal distributions, full covariances".to_owned(),
            components: 4,
            held_out: Some(-2.51),
            one_normal: Some(-3.08),
        },
        units: None,
        negative_elbo: None,
        sample_similarity: Some(SampleSimilarity {
            generated: 200,
            held_out: 200,
            space: None,
            columns: vec![
                column("hour", Distance::KolmogorovSmirnov, 0.12, None),
                column("country", Distance::TotalVariation, 0.04, Some([0.02, 0.013])),
            ],
            correlation_difference: Some(0.021),
            auc: 0.56,
            classifier: "100 extremely randomised trees".to_owned(),
            copies: Some(Copies { ratio: Some(1.04), exact: 0, exact_held_out: 0, measured: 200 }),
        }),
        sheet: None,
        not_made: Vec::new(),
    }
}

/// The report.
pub(crate) fn report() -> Report {
    Report {
        version: "0.1.0".to_owned(),
        source: "payments.csv".to_owned(),
        label: Some(crate::report::Label {
            column: "is_fraud".to_owned(),
            normal: Some("0".to_owned()),
            ..Default::default()
        }),
        rows: RowCounts { read: 1061, not_normal: 58, unlabelled: 3, train: 800, validation: 0, calibration: 200 },
        columns: columns(),
        notes: vec![
            "`amount`, `fee` and 12 other columns were scaled to their quantiles: their tails are long".to_owned(),
            "`created_at` became hour, weekday and day of the year, on a circle".to_owned(),
            "14 missing cells in `device_age_days` were filled with the median and marked in a column of their own"
                .to_owned(),
            "100 of the 800 training rows watch the validation loss, as the file has fewer than 2,000 rows".to_owned(),
        ],
        warnings: vec![
            "Fewer than 500 calibration rows: the promised rate of 1 % rests on the two highest scores of 200"
                .to_owned(),
            "`seconds_since_last` is hardly rebuilt at all (12 %): anomalies in it are easily missed".to_owned(),
        ],
        network: network(),
        training: (0..4).map(training).collect(),
        detection: Detection {
            rule: serde_json::from_str(r#"{"rule":"false_alarm_rate","rate":0.01}"#).unwrap(),
            threshold: 3.41,
            promised_rate: Some(0.01),
            pieces: None,
            set_aside: None,
            trimmed: None,
            histogram: histogram(200, -0.55, 0.5),
            anomalies: Some(histogram(58, 2.6, 1.1)),
        },
        pca: PcaComparison { components: 29, pca_error: 0.0, model_error: 0.0213 },
        bottleneck: None,
        top: (0..20).map(top).collect(),
        code_map: code_map(),
        code_axes: None,
        population: None,
        generation: Some(generation()),
        series: None,
        images: None,
        recipe: Recipe::default(),
    }
}

fn columns() -> Vec<ColumnReport> {
    let column = |name: &str, kind: &str, role: Role, words: &str, missing: u64, quality: Option<f64>| ColumnReport {
        name: name.to_owned(),
        kind: kind.to_owned(),
        role,
        words: words.to_owned(),
        missing,
        quality,
    };
    let mut columns = vec![column("payment_id", "text", Role::Dropped, "every value is different", 0, None)];
    columns.extend(FEATURES.iter().enumerate().map(|(i, (name, kind, quality))| {
        let words = match *kind {
            "category" => "one column a value, 7 values, rare ones together",
            "boolean" => "0 or 1",
            "datetime" => "hour, weekday and day of the year, on a circle",
            _ if i % 3 == 0 => "scaled to its quantiles",
            _ => "scaled by mean and standard deviation",
        };
        column(name, kind, Role::Feature, words, if i == 21 { 14 } else { 0 }, Some(*quality))
    }));
    columns.push(column("currency", "category", Role::Dropped, "constant: every row is `EUR`", 0, None));
    columns.push(column("comment", "text", Role::Ignored, "left out as asked", 312, None));
    columns.push(column("fraud", "boolean", Role::Label, "normal is `0`", 3, None));
    columns
}

fn network() -> NetworkReport {
    let layer = |part, width: usize, words: &str| LayerReport { part, width, words: words.to_owned(), map: None };
    NetworkReport {
        inputs: 29,
        code_size: 256,
        layers: vec![
            layer(NetworkPart::Input, 29, "29 prepared values"),
            layer(NetworkPart::Encoder, 256, "dense 256, relu"),
            layer(NetworkPart::Code, 256, "dense 256, relu"),
            layer(NetworkPart::Decoder, 256, "dense 256, relu"),
            layer(NetworkPart::Output, 29, "dense 29, linear and softmax by group"),
        ],
        parameters: 146_717,
        members: 4,
        loss: "mean squared error for 19 numbers, cross-entropy for 7 categories and 3 booleans".to_owned(),
    }
}

fn training(member: usize) -> Training {
    let sigma = [1.0, 0.3, 0.1, 0.05][member];
    let history: Vec<Check> = (1..=50).map(|i| check(i, member)).collect();
    let best =
        (0..history.len()).min_by(|a, b| history[*a].validation_loss.total_cmp(&history[*b].validation_loss)).unwrap();
    Training {
        corruption: format!("gaussian, sigma {sigma}"),
        steps: 2000,
        epochs: 500.0,
        stopped: if member == 2 { Stop::Early } else { Stop::Finished },
        best,
        recoveries: u32::from(member == 3),
        mean_activity: 0.31 - 0.04 * member as f64,
        history,
    }
}

/// A falling loss with some noise of its own; the validation loss turns up late for the weaker corruptions.
fn check(i: u64, member: usize) -> Check {
    let t = i as f64 / 50.0;
    let floor = [0.11, 0.045, 0.022, 0.017][member];
    let wave = 1.0 + 0.05 * (i as f64 * 1.7 + member as f64).sin();
    let train_loss = (floor + (1.0 - floor) * (-9.0 * t).exp()) * wave;
    let turn = (t - 0.6).max(0.0) * [0.0, 0.1, 0.6, 0.9][member];
    let validation_loss = train_loss * 1.12 * (1.0 + turn) * (1.0 + 0.03 * (i as f64 * 0.9).cos());
    let learning_rate =
        3e-3 * if t < 0.25 { t / 0.25 } else { 0.5 + 0.5 * ((t - 0.25) / 0.75 * std::f64::consts::PI).cos() };
    Check { step: i * 40, epoch: i as f64 * 10.0, train_loss, validation_loss, learning_rate }
}

/// `n` scores, normal in the logarithm.
fn histogram(n: u64, mean: f64, deviation: f64) -> Histogram {
    let bins = 48;
    let edge = |i: usize| (-2.0 + 7.0 * i as f64 / bins as f64).exp();
    let weights: Vec<f64> = (0..bins)
        .map(|i| (((edge(i).ln() + edge(i + 1).ln()) / 2.0 - mean) / deviation).powi(2))
        .map(|z2| (-z2 / 2.0).exp())
        .collect();
    let all: f64 = weights.iter().sum();
    let mut counts: Vec<u64> = weights.iter().map(|weight| (weight / all * n as f64).round() as u64).collect();
    // The rows lost in rounding are the rare high ones.
    counts[37] += n.saturating_sub(counts.iter().sum());
    Histogram { edges: (0..=bins).map(edge).collect(), counts }
}

fn top(i: u64) -> TopRow {
    let score = 87.2 * (-0.19 * i as f64).exp();
    let reasons = match i % 4 {
        0 => vec![
            Reason::number("amount", 0.71, 41.2, 980.0),
            Reason::number("limit_used", 0.14, 0.12, 0.97),
            Reason::number("distance_home_km", 0.06, 3.4, 8120.0),
        ],
        1 => vec![Reason::category("card_country", 0.55, "DE", "BR"), Reason::category("country", 0.31, "DE", "US")],
        2 => vec![
            Reason::number("payments_last_hour", 0.48, 0.0, 23.0),
            Reason::number("attempts", 0.29, 1.0, 9.0),
            Reason::number("seconds_since_last", 0.11, 8600.0, 4.0),
        ],
        _ => vec![Reason::category(
            "browser_language_and_region_as_sent_by_the_client_before_normalisation",
            0.82,
            "de-DE",
            "zz-ZZ",
        )],
    };
    TopRow {
        row: (i * 7919 + 417) % 1061,
        score,
        p_value: if score > 3.41 { 1.0 / 201.0 } else { 0.0149 },
        is_anomaly: score > 3.41,
        reasons,
    }
}

/// A mixed counter stands in for chance: a number in [0, 1).
fn part(i: u32, salt: u64) -> f64 {
    let mixed = (u64::from(i) + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1u64 << 53) as f64
}

fn code_map() -> Vec<CodePoint> {
    let point = |i: u32| {
        let (a, b) = (part(i, 0).max(1e-6), part(i, 1 << 40) * std::f64::consts::TAU);
        let radius = (-2.0 * a.ln()).sqrt();
        let (u, v) = (radius * b.cos(), radius * b.sin());
        let centre = [(-2.6, 0.4), (1.8, 1.5), (1.2, -2.0)][i as usize % 3];
        let far = i.is_multiple_of(41);
        let spread = if far { 3.4 } else { 0.8 };
        let (x, y) = (centre.0 + spread * u, centre.1 + spread * (0.6 * v + 0.35 * u));
        let score = (0.25 * radius * radius * spread).exp() * 0.4;
        CodePoint { x, y, score, is_anomaly: far && radius > 1.0 }
    };
    (1..=2000).map(point).collect()
}

/// Three machines with three channels each: two stretches, one of them long, and eight windows.
pub(crate) fn series() -> SeriesReport {
    SeriesReport {
        layout: "long".to_owned(),
        channels: ["temperature", "vibration", "pressure"].map(str::to_owned).to_vec(),
        step: Some("5 minutes".to_owned()),
        n_series: 3,
        n_points: 24_134,
        gaps: 14,
        gap_points: 58,
        window: 96,
        stride: 24,
        period: Some(288),
        notes: vec![
            "a window has 96 points, a third of the period of 288, so that it holds a rise and a fall".to_owned(),
            "`pressure` lacks 21 points in runs of at most 3; they were filled on a straight line".to_owned(),
        ],
        stretches: vec![
            stretch("m01", "around the highest score", 900, &[(410, 448, 38.0, 1), (640, 641, 11.2, 0)]),
            stretch("m02", "the last 20 days", 5760, &[(5100, 5180, 61.0, 2)]),
        ],
        windows: (0..8).map(window).collect(),
    }
}

/// `n` points from Monday on, with events as (first, last, peak, channel).
fn stretch(series: &str, title: &str, n: usize, events: &[(usize, usize, f64, usize)]) -> AnomalousStretch {
    let inside = |i: usize| events.iter().find(|(first, last, ..)| (*first..=*last).contains(&i));
    let is_gap = |i: usize| (200..215).contains(&i);
    let channel = |channel: usize| {
        let name = ["temperature", "vibration", "pressure"][channel];
        let (middle, swing, noise) = [(52.0, 11.0, 0.5), (1.9, 0.8, 0.16), (6.4, -0.7, 0.07)][channel];
        let work = |i: usize| (3.0 * (i as f64 * std::f64::consts::TAU / 288.0 - 1.9).sin()).tanh();
        let rebuilt = |i: usize| middle + swing * work(i);
        let measured = |i: usize| {
            let wrong = inside(i).filter(|event| event.3 == channel).map_or(0.0, |_| 1.4 * swing.abs());
            rebuilt(i) + wrong + noise * (2.0 * part(i as u32, channel as u64) - 1.0)
        };
        ChannelTrace {
            name: name.to_owned(),
            signal: (0..n).map(|i| (!is_gap(i)).then(|| measured(i))).collect(),
            reconstruction: (0..n).map(|i| (!is_gap(i)).then(|| rebuilt(i))).collect(),
        }
    };
    let time = |i: usize| {
        let minutes = 5 * i;
        format!("2026-03-{:02}T{:02}:{:02}:00", 2 + minutes / 1440, minutes / 60 % 24, minutes % 60)
    };
    let score = |i: usize| {
        let ordinary = 0.5 + 0.9 * part(i as u32, 77);
        (!is_gap(i)).then(|| inside(i).map_or(ordinary, |event| event.2 * (0.6 + 0.4 * part(i as u32, 78))))
    };
    AnomalousStretch {
        series: series.to_owned(),
        title: title.to_owned(),
        times: (0..n).map(time).collect(),
        channels: (0..3).map(channel).collect(),
        score: (0..n).map(score).collect(),
        threshold: 3.41,
        events: events
            .iter()
            .map(|(first, last, peak, channel)| StretchEvent {
                first: *first,
                last: *last,
                peak: *peak,
                channels: vec![["temperature", "vibration", "pressure"][*channel].to_owned()],
            })
            .collect(),
    }
}

fn window(i: u32) -> WindowExample {
    let piece = stretch("", "", 96, &[(30 + i as usize, 50 + 2 * i as usize, 9.0, 1)]);
    WindowExample {
        title: format!("m0{}, 2026-03-{:02} 08:00", 1 + i % 3, 2 + i),
        score: 61.0 * (-0.3 * f64::from(i)).exp(),
        channels: piece.channels,
    }
}

/// Castings in pieces, of which scratched ones are not normal.
pub(crate) fn images() -> ImagesReport {
    let worst = |i: u32| WorstImage {
        name: if i < 7 { format!("scratch/{:04}.png", 417 + 31 * i) } else { format!("good/{:04}.png", 12 * i) },
        score: 38.2 * (-0.4 * f64::from(i)).exp(),
        p_value: if i < 7 { 1.0 / 201.0 } else { 0.03 },
        is_anomaly: i < 7,
    };
    let similarity = |psnr: f64, ssim: f64, bce: Option<f64>| Similarity { bce, ..similarity(psnr, ssim) };
    ImagesReport {
        album: AlbumReport { source: "castings".to_owned(), channels: Channels::Grey, ..restorer().album },
        view: "pieces of 32 x 32 pixels, 16 apart, grey".to_owned(),
        stride: Some(16),
        backbone: "convolutional, with a bottleneck".to_owned(),
        quality: Reconstruction {
            n: 200,
            damage: "gaussian:25".to_owned(),
            model: similarity(27.7, 0.81, Some(0.294)),
            pca: similarity(26.9, 0.78, None),
            input: Some(similarity(20.3, 0.44, None)),
            negative_elbo: None,
        },
        sheet: sheet(&["input", "output", "truth", "difference"]),
        worst: (0..12).map(worst).collect(),
        worst_sheet: sheet(&["image", "heat map"]),
    }
}

/// A restorer of photos in colour, beside a baseline that is almost as good.
pub(crate) fn restorer() -> RestorerReport {
    let colourful = |psnr: f64, ssim: f64| Similarity { colourfulness: Some(31.7), ..similarity(psnr, ssim) };
    let images = (0..12).map(|i| ImageQuality {
        name: format!("{}{}.png", ["castle", "bear", "market", "sea"][i % 4], ["", "-2", "-3"][i / 4]),
        qualities: RestorationMeans {
            restored: colourful(28.0 + 0.2 * i as f64, 0.80 + 0.005 * i as f64),
            input: colourful(20.0 + 0.4 * part(i as u32, 5), 0.42),
            baseline: Baseline {
                name: "non-local means".to_owned(),
                similarity: colourful(27.2 + 0.2 * i as f64, 0.79),
            },
        },
    });
    let mut quality = Restoration::of("gaussian:25".to_owned(), images.collect());
    let means = &mut quality.means;
    (means.restored.psnr, means.input.psnr, means.baseline.similarity.psnr) = (29.1, 20.4, 28.3);
    let skipped = |name: &str, reason: &str| SkippedImage { name: name.to_owned(), reason: reason.to_owned() };
    let corrupt = serde_json::from_str(r#"["gaussian:25"]"#).unwrap();
    RestorerReport {
        version: "0.1.0".to_owned(),
        album: AlbumReport {
            source: "photos of 2025".to_owned(),
            read: 120,
            skipped: vec![
                skipped("holidays/torn.jpg", "the file ends too early"),
                skipped("notes.png", "expected an image, got text"),
            ],
            channels: Channels::Rgb,
            heights: [256, 512],
            widths: [256, 768],
            train: 108,
            validation: 12,
            calibration: 0,
        },
        damage: "gaussian:25".to_owned(),
        network:
            "fully convolutional without a bottleneck: 5 residual blocks of 48 channels; the output is the input plus a predicted residual"
                .to_owned(),
        parameters: 211_348,
        training: Training { corruption: "gaussian:25".to_owned(), ..training(1) },
        quality: Some(quality),
        sheet: sheet(&["input", "output", "truth", "difference"]),
        warnings: Vec::new(),
        recipe: Recipe {
            data: Data::Images(ImageSettings { corrupt, ..ImageSettings::default() }),
            ..Recipe::default()
        },
    }
}

fn similarity(psnr: f64, ssim: f64) -> Similarity {
    Similarity { psnr, ssim: Some(ssim), mse: 10f64.powf(-psnr / 10.0), bce: None, colourfulness: None }
}

/// Grey squares, a column each.
fn sheet(titles: &[&str]) -> String {
    let mut sheet = Sheet::new(titles).with_side(32);
    for row in 0..3 {
        let grey = |i: usize| 0.2 * (i + row) as f32;
        sheet.row((0..titles.len()).map(|i| Image::filled(32, 32, Channels::Grey, grey(i).min(1.0))).collect());
    }
    sheet.to_base64()
}
