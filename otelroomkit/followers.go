package otelroomkit

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/go-roomkit/roomkit/service"
)

// ObserveFollowers asks the store at every collection, as by a scrape, how far all followers
// are behind: also those that nobody runs and those that stand still, of which an Observer
// has nothing to tell. One process of a fleet is enough. It costs what service.Followers
// does: two round trips, and one for each follower that is behind. Unregister ends it. The
// clock of this process says how old an event is.
func ObserveFollowers(svc *service.Service, o *Options) (metric.Registration, error) {
	m := o.meter()
	behind, err := m.Int64ObservableGauge("roomkit.follower.stored.behind", metric.WithUnit("{event}"),
		metric.WithDescription("Events that a follower still has to handle, by its stored checkpoint."))
	if err != nil {
		return nil, err
	}
	age, err := m.Float64ObservableGauge("roomkit.follower.stored.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the first event that a follower still has to handle; 0 if there is none."))
	if err != nil {
		return nil, err
	}
	return m.RegisterCallback(func(ctx context.Context, to metric.Observer) error {
		list, err := svc.Followers(ctx)
		now := time.Now() //nolint:forbidigo // events are dated by clocks of hosts
		for i := range list {
			f := &list[i]
			of := metric.WithAttributeSet(attribute.NewSet(keyFollower.String(f.Name)))
			if f.Behind >= 0 {
				to.ObserveInt64(behind, f.Behind, of)
			}
			var old float64
			if !f.Since.IsZero() {
				old = inSeconds(now.Sub(f.Since))
			}
			to.ObserveFloat64(age, old, of)
		}
		return err
	}, behind, age)
}
