//! What allocation costs in Rust: a Vec of bytes in place of another, 8,192 live, with the
//! allocator that Rust programs have when they ask for no other: the C library's.
//!
//! The trace, the timer and the figures are those of bench/alloc (see its trace.c).

use std::arch::x86_64::{__rdtscp, _mm_lfence, _rdtsc};
use std::hint::black_box;
use std::time::Instant;

const LIVE_COUNT: usize = 8192;
const DOUBLING_COUNT: u32 = 9;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(2685821657736338717) >> 32) * u64::from(limit) >> 32) as u32
    }

    fn size(&mut self, fixed: usize) -> usize {
        if fixed > 0 {
            return fixed;
        }
        let size = 16 << self.below(DOUBLING_COUNT);
        (size + 1 + self.below(size)) as usize
    }
}

struct Op {
    slot: usize,
    size: usize,
}

fn begin() -> u64 {
    unsafe {
        _mm_lfence();
        _rdtsc()
    }
}

fn end() -> u64 {
    let mut cpu = 0;
    unsafe {
        let ticks = __rdtscp(&mut cpu);
        _mm_lfence();
        ticks
    }
}

fn take(size: usize) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::new();
    bytes.try_reserve_exact(size).ok()?;
    // As a user does: writes to what was taken, at both ends.
    unsafe {
        bytes.set_len(size);
        std::ptr::write_volatile(bytes.as_mut_ptr(), 1);
        std::ptr::write_volatile(bytes.as_mut_ptr().add(size - 1), 1);
    }
    Some(bytes)
}

struct Readings {
    take: Vec<u32>,
    give: Vec<u32>,
    failures: u64,
}

fn timed(ops: &[Op], slots: &mut [Option<Vec<u8>>], readings: &mut Readings) {
    for (index, op) in ops.iter().enumerate() {
        let old = slots[op.slot].take();
        let started = begin();
        drop(black_box(old));
        readings.give[index] = (end() - started) as u32;
        let started = begin();
        let mut bytes: Vec<u8> = Vec::new();
        let result = bytes.try_reserve_exact(op.size);
        readings.take[index] = (end() - started) as u32;
        readings.failures += u64::from(result.is_err());
        slots[op.slot] = Some(black_box(bytes));
    }
}

fn replace(ops: &[Op], slots: &mut [Option<Vec<u8>>]) {
    for op in ops {
        slots[op.slot] = None;
        slots[op.slot] = take(op.size);
    }
}

/// Readings in tenths of a nanosecond, for the lab to look at.
fn dump(path: &str, ticks: &[u32], ns_per_tick: f64) {
    let bytes: Vec<u8> = ticks
        .iter()
        .flat_map(|&one| ((f64::from(one) * ns_per_tick * 10.0) as u32).to_le_bytes())
        .collect();
    std::fs::write(path, bytes).expect("the lab's folder takes files");
}

fn faults() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("the kernel tells");
    let fields: Vec<&str> = text.rsplit(')').next().expect("fields").split_whitespace().collect();
    fields[7].parse().expect("a number")
}

fn measure(fixed: usize, op_count: usize, folder: &str) {
    let mut random = Random(0x9e3779b97f4a7c15);
    let sizes: Vec<usize> = (0..LIVE_COUNT).map(|_| random.size(fixed)).collect();
    let ops: Vec<Op> = (0..op_count)
        .map(|_| {
            let slot = random.below(LIVE_COUNT as u32) as usize;
            Op { slot, size: random.size(fixed) }
        })
        .collect();
    let mut readings = Readings { take: vec![1; op_count], give: vec![1; op_count], failures: 0 };
    let mut timer = vec![1; op_count];
    let clock = Instant::now();
    let ticks = begin();
    for one in timer.iter_mut() {
        let started = begin();
        *one = (end() - started) as u32;
    }
    let mut slots: Vec<Option<Vec<u8>>> = sizes.iter().map(|&size| take(size)).collect();
    let faults_before = faults();
    timed(&ops, &mut slots, &mut readings);
    let faults_after = faults();
    let loop_clock = Instant::now();
    replace(&ops, &mut slots);
    let mean_ns = loop_clock.elapsed().as_nanos() as f64 / op_count as f64;
    let ns_per_tick = clock.elapsed().as_nanos() as f64 / (end() - ticks) as f64;
    dump(&format!("{folder}/timer"), &timer, ns_per_tick);
    dump(&format!("{folder}/take"), &readings.take, ns_per_tick);
    dump(&format!("{folder}/give"), &readings.give, ns_per_tick);
    println!(
        "{{\"mean_ns\": {mean_ns:.2}, \"failures\": {}, \"minor_faults\": {}, \"collections\": null}}",
        readings.failures,
        faults_after - faults_before
    );
}

/// Take 1 KB after 1 KB until it ends, and say how.
fn exhaust() {
    let mut held = Vec::new();
    while let Some(bytes) = take(1024) {
        held.push(bytes);
    }
    println!("{{\"refused_after\": {}}}", held.len());
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["exhaust"] => exhaust(),
        ["Rust", size, op_count, folder] => {
            measure(size.parse().expect("SIZE"), op_count.parse().expect("OPERATIONS"), folder);
        }
        _ => {
            eprintln!("usage: alloc Rust SIZE OPERATIONS FOLDER | exhaust");
            std::process::exit(2);
        }
    }
}
