package natsstore

import "context"

// AskServers asks the servers how they write, whatever Weak says.
func AskServers(ctx context.Context, o Options) error {
	o.Weak, o.Patience = false, defaultPatience
	return o.checkServers(ctx)
}
