// Package simulation runs the whole service on a store with faults, with many callers,
// several processes and hosts that fail, one step at a time and by a seed, and demands that
// every answer is true. It has tests only; docs/simulation.md says what they do.
package simulation
