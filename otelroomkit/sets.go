package otelroomkit

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// cache keeps what is made once for each key. How many keys there are is bounded as the
// time series are.
type cache[K comparable, V any] struct {
	mu   sync.RWMutex
	kept map[K]*V
}

func (c *cache[K, V]) get(k K, made func(*K) *V) *V {
	c.mu.RLock()
	is := c.kept[k]
	c.mu.RUnlock()
	if is != nil {
		return is
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if is = c.kept[k]; is == nil {
		if c.kept == nil {
			c.kept = map[K]*V{}
		}
		is = made(&k)
		c.kept[k] = is
	}
	return is
}

// spans keeps how spans begin.
type spans struct{ cache[spanKey, span] }

// beginning is how spans of one kind begin.
type beginning struct {
	prefix string
	key    attribute.Key
	kind   trace.SpanKind
}

type spanKey struct {
	beginning
	name string
}

type span struct {
	name    string
	options []trace.SpanStartOption
}

func (s *spans) of(b beginning, name string) *span { return s.get(spanKey{b, name}, (*spanKey).made) }

func (k *spanKey) made() *span {
	return &span{k.prefix + k.name, []trace.SpanStartOption{trace.WithSpanKind(k.kind), trace.WithAttributes(k.key.String(k.name))}}
}

// sets keeps the attributes of measurements.
type sets struct{ cache[setKey, set] }

type setKey struct {
	key           attribute.Key
	name          string
	outcome, rule string // empty: without
	failed        bool
}

// set is attributes in the forms that instruments take.
type set struct {
	record []metric.RecordOption
	add    []metric.AddOption
}

// named has a name alone.
func (s *sets) named(key attribute.Key, name string) *set {
	return s.get(setKey{key: key, name: name}, (*setKey).made)
}

// of has the outcome, and of a failure error.type.
func (s *sets) of(key attribute.Key, name, outcome string, failed bool) *set {
	return s.get(setKey{key: key, name: name, outcome: outcome, failed: failed}, (*setKey).made)
}

// failed has error.type of a failure, and no outcome.
func (s *sets) failed(key attribute.Key, name, outcome string, failed bool) *set {
	if !failed {
		return s.named(key, name)
	}
	return s.get(setKey{key: key, name: name, rule: outcome, failed: true}, (*setKey).made)
}

func (s *sets) refused(name, rule string) *set {
	return s.get(setKey{key: keyCommand, name: name, rule: rule}, (*setKey).made)
}

func (k *setKey) made() *set {
	var list []attribute.KeyValue
	if k.key != "" {
		list = append(list, k.key.String(k.name))
	}
	if k.outcome != "" {
		list = append(list, keyOutcome.String(k.outcome))
	}
	switch {
	case k.failed && k.outcome != "":
		list = append(list, semconv.ErrorTypeKey.String(k.outcome))
	case k.failed:
		list = append(list, semconv.ErrorTypeKey.String(k.rule))
	case k.rule != "":
		list = append(list, keyRule.String(k.rule))
	}
	option := metric.WithAttributeSet(attribute.NewSet(list...))
	return &set{record: []metric.RecordOption{option}, add: []metric.AddOption{option}}
}
