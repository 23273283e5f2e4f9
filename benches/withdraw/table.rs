use super::{
    edge,
    figures::{Figure, Figures},
};

/// A row a figure, a column a program; beside the figures of the others, how
/// many times those of metal-edge they are.
pub fn print(all: &[Figures], rounds: u32) {
    println!(
        "\nuntil the /32 is deleted from the kernel table of a leaf switch (FRR, timers 2/8); \
         medians of {rounds}"
    );
    print!("{:<28}", "");
    for figures in all {
        print!("{:>width$}", figures.name, width = width(figures));
    }
    println!("  target");
    let ours = all.iter().find(|figures| is_ours(figures));
    for figure in Figure::ALL {
        print!("{:<28}", figure.title());
        let ours = ours.and_then(|figures| figures.get(figure));
        for figures in all {
            let text = match figures.get(figure) {
                Some(value) => cell(value, figure, ours.filter(|_| !is_ours(figures))),
                None => "-".to_owned(),
            };
            print!("{text:>width$}", width = width(figures));
        }
        match (figure.target(), ours) {
            (Some(target), Some(value)) => {
                let met = if value < target { "met" } else { "missed" };
                println!("  < {target:.0}, {met}");
            }
            _ => println!(),
        }
    }
}

fn is_ours(figures: &Figures) -> bool {
    figures.name == edge::NAME
}

/// Ratios stand beside all but our own.
fn width(figures: &Figures) -> usize {
    if is_ours(figures) { 11 } else { 17 }
}

fn cell(value: f64, figure: Figure, ours: Option<f64>) -> String {
    let text = format!("{value:.*}", figure.digits());
    match ours {
        Some(ours) if ours > 0.0 => format!("{text} ({:.2}x)", value / ours),
        _ => text,
    }
}
