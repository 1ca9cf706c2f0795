package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// The webhook of an instance is kept with the instance, as its clients read it again, and is
// served by an endpoint of the line, which is made and changed in the same transaction.

// checkInstanceWebhook checks where the webhook of an instance leads, before it is set.
func (s *Service) checkInstanceWebhook(ctx context.Context, a Actor, name string, ch InstanceChanges) error {
	if !ch.Webhook.Set || ch.Webhook.Null || !ch.Webhook.Value.Enabled {
		return nil
	}
	tx := s.Store.Read(ctx)
	row, err := instanceNamed(tx, a, name)
	if err != nil {
		return err
	}
	if _, err := s.line(tx, a, row.LicenseID, row.MessengerType, hooks); err != nil {
		return err
	}
	if err := ch.check(); err != nil {
		return err
	}
	return s.Callbacks.CheckAddress(ctx, "webhook.url", ch.Webhook.Value.URL)
}

// serveWebhook makes the endpoint of an instance's line what its webhook says.
func (c *change) serveWebhook(i *Instance) error {
	rows, err := c.tx.LockLineEndpoints(i.Line.LicenseID, i.Line.Messenger, FormatEvolution)
	if err != nil {
		return err
	}
	w := i.Webhook
	switch {
	case w == nil && len(rows) > 0:
		c.after = append(c.after, c.s.Callbacks.Changed)
		return c.tx.DeleteCallbackURL(rows[0].ID)
	case w == nil || !w.Enabled && len(rows) == 0:
		return nil
	case len(rows) == 0:
		_, err := c.newEndpoint(i.CompanyID, i.Line, EndpointInput{
			Format: FormatEvolution, URL: w.URL, Events: w.Events, Options: w.options(), Enabled: true,
		})
		return err
	case !w.Enabled: // the URL may be any word now
		return c.changeEndpoint(&rows[0], EndpointChanges{Enabled: Value(false)})
	}
	return c.changeEndpoint(&rows[0], EndpointChanges{URL: Value(w.URL), Events: Value(w.Events), Options: Value(w.options()), Enabled: Value(true)})
}

func (w *InstanceWebhook) options() EndpointOptions {
	return EndpointOptions{Headers: w.Headers, ByEvents: w.ByEvents, Base64: w.Base64}
}

// AdoptWebhooks makes the endpoints of webhooks that were stored when none was delivered to yet.
// They get the events from now on. One that cannot be served is logged and left for the next start:
// all the others, and the program, do not depend on it.
func (s *Service) AdoptWebhooks(ctx context.Context) error {
	rows, err := s.Store.Read(ctx).UnservedWebhooks()
	if err != nil {
		return err
	}
	for _, row := range rows {
		err := s.change(ctx, func(c *change) error { return c.adoptWebhook(&row) })
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.Is(err, models.ErrNotFound): // it was deleted meanwhile
			s.Log.ErrorContext(ctx, "the webhook of an instance is stored in a wrong form or cannot be served, and gets no events; set it again", "instance", row.ID, "error", err)
		}
	}
	return nil
}

func (c *change) adoptWebhook(row *models.Instance) error {
	if _, err := c.tx.LockLicense(row.LicenseID); err != nil {
		return err
	}
	now, err := c.tx.LockInstance(row.ID)
	if err != nil {
		return err
	}
	i, err := instance(now)
	if err != nil || i.Webhook == nil || !i.Webhook.Enabled {
		return err
	}
	return c.serveWebhook(i)
}
