// Package stats tells what the runtime counts: allocations, and the collector's pauses.
package stats

import (
	"encoding/json"
	"math"
	"net/http"
	"runtime"
	"runtime/metrics"
)

const pausesName = "/sched/pauses/total/gc:seconds"

type Stats struct {
	Mallocs      uint64  `json:"mallocs"`
	Frees        uint64  `json:"frees"`
	Collections  uint32  `json:"collections"`
	PauseNsMax   float64 `json:"pause_ns_max"`
	PauseNsTotal uint64  `json:"pause_ns_total"`
	PauseNsP99   float64 `json:"pause_ns_p99"`
}

// quantile is the upper end of the bucket that a share of all values does not exceed.
func quantile(histogram *metrics.Float64Histogram, share float64) float64 {
	var total, seen uint64
	for _, count := range histogram.Counts {
		total += count
	}
	if total == 0 {
		return 0
	}
	for index, count := range histogram.Counts {
		seen += count
		if float64(seen) >= share*float64(total) {
			if end := histogram.Buckets[index+1]; !math.IsInf(end, 0) {
				return end
			}
			return histogram.Buckets[index]
		}
	}
	return 0
}

func Read() Stats {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	sample := []metrics.Sample{{Name: pausesName}}
	metrics.Read(sample)
	stats := Stats{
		Mallocs:      memory.Mallocs,
		Frees:        memory.Frees,
		Collections:  memory.NumGC,
		PauseNsTotal: memory.PauseTotalNs,
	}
	if sample[0].Value.Kind() == metrics.KindFloat64Histogram {
		pauses := sample[0].Value.Float64Histogram()
		stats.PauseNsMax = quantile(pauses, 1) * 1e9
		stats.PauseNsP99 = quantile(pauses, 0.99) * 1e9
	}
	return stats
}

func Page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(Read())
}
