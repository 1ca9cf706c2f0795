package crm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// Endpoints lists the endpoints of a line in a format. The actor must be allowed to manage them.
func (s *Service) Endpoints(ctx context.Context, a Actor, on Line, format string) ([]Endpoint, error) {
	tx := s.Store.Read(ctx)
	if _, err := s.line(tx, a, on.LicenseID, on.Messenger, hooks); err != nil {
		return nil, err
	}
	rows, err := tx.LineEndpoints(on.LicenseID, on.Messenger, format)
	if err != nil {
		return nil, err
	}
	list := []Endpoint{}
	for i := range rows {
		e, err := endpoint(tx, &rows[i])
		if err != nil {
			return nil, err
		}
		list = append(list, *e)
	}
	return list, nil
}

// Endpoint returns the endpoint with a public id. To who may not manage it there is none.
func (s *Service) Endpoint(ctx context.Context, a Actor, format, publicID string) (*Endpoint, error) {
	tx := s.Store.Read(ctx)
	row, err := endpointFor(tx, a, format, publicID)
	if err != nil {
		return nil, err
	}
	return endpoint(tx, row)
}

func endpointFor(tx *models.Tx, a Actor, format, publicID string) (*models.CallbackURL, error) {
	if format == "" || checkText("id", publicID, maxName) != nil { // no text that a database refuses
		return nil, notFound("webhook")
	}
	row, err := tx.EndpointByPublicID(format, publicID)
	if err == nil {
		err = mayManageCallback(tx, a, row)
	}
	if isNotFound(err) || errors.Is(err, models.ErrNotFound) {
		err = notFound("webhook")
	}
	return row, err
}

// AddEndpoint adds an endpoint to a line, unless in.Same says to change one. It gets the events from
// now on.
func (s *Service) AddEndpoint(ctx context.Context, a Actor, on Line, in EndpointInput) (made *Endpoint, err error) {
	if _, err := s.line(s.Store.Read(ctx), a, on.LicenseID, on.Messenger, hooks); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.Same != nil {
		if err := in.Same.check(); err != nil {
			return nil, err
		}
	}
	if err := s.Callbacks.CheckAddress(ctx, "url", in.URL); err != nil {
		return nil, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		l, err := s.line(c.tx, a, on.LicenseID, on.Messenger, hooks)
		if err != nil {
			return err
		}
		if _, err := c.tx.LockLicense(on.LicenseID); err != nil { // one at a time counts them
			return orNotFound(err, "line")
		}
		rows, err := c.tx.LockLineEndpoints(on.LicenseID, on.Messenger, in.Format)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(rows, func(row models.CallbackURL) bool { return row.URL == in.URL }); in.Same != nil && i >= 0 {
			if err := mayManageCallback(c.tx, a, &rows[i]); err != nil {
				return err
			}
			made, err = c.changedEndpoint(a, &rows[i], *in.Same)
			return err
		}
		if len(rows) >= MaxEndpoints {
			return conflict(fmt.Sprintf("the line has %d webhooks already", MaxEndpoints))
		}
		row, err := c.newEndpoint(l.companyID, on, in)
		if err != nil {
			return err
		}
		if made, err = endpoint(c.tx, row); err != nil {
			return err
		}
		return c.auditEndpoint(a, AuditCallbackMade, row, endpointFacts(row))
	})
	return made, err
}

// newEndpoint stores a new endpoint, which gets the events from now on.
func (c *change) newEndpoint(companyID int64, on Line, in EndpointInput) (*models.CallbackURL, error) {
	row, err := c.newCallback(callbackOwner{companyID: companyID, line: &on})
	if err != nil {
		return nil, err
	}
	row.Format, row.PublicID, row.URL, row.Secret, row.Enabled, row.Generation = in.Format, newUUID(), in.URL, in.Secret, in.Enabled, 1
	if err := putEndpoint(row, unique(in.Events), in.Options); err != nil {
		return nil, err
	}
	c.after = append(c.after, c.s.Callbacks.Changed)
	return row, c.tx.PutCallbackURL(row)
}

// ChangeEndpoint changes an endpoint. What waits goes to another URL; one that was off gets the
// events from now on.
func (s *Service) ChangeEndpoint(ctx context.Context, a Actor, format, publicID string, ch EndpointChanges) (changed *Endpoint, err error) {
	if _, err := endpointFor(s.Store.Read(ctx), a, format, publicID); err != nil {
		return nil, err
	}
	if err := ch.check(); err != nil {
		return nil, err
	}
	if ch.URL.Set {
		if message := apps.CheckWebhookURL(ch.URL.Value); message != "" {
			return nil, Invalid("url", "%s", message)
		}
		if err := s.Callbacks.CheckAddress(ctx, "url", ch.URL.Value); err != nil {
			return nil, err
		}
	}
	err = s.change(ctx, func(c *change) error {
		row, err := c.lockEndpoint(a, format, publicID)
		if err != nil {
			return err
		}
		changed, err = c.changedEndpoint(a, row, ch)
		return err
	})
	return changed, err
}

// changedEndpoint changes a row that is locked, for somebody who may, and returns it as it is then.
func (c *change) changedEndpoint(a Actor, row *models.CallbackURL, ch EndpointChanges) (*Endpoint, error) {
	before := endpointFacts(row)
	if err := c.changeEndpoint(row, ch); err != nil {
		return nil, err
	}
	changed, err := endpoint(c.tx, row)
	if err != nil {
		return nil, err
	}
	return changed, c.auditEndpoint(a, AuditCallbackChanged, row, differences(before, endpointFacts(row)))
}

func (c *change) lockEndpoint(a Actor, format, publicID string) (*models.CallbackURL, error) {
	row, err := endpointFor(c.tx, a, format, publicID)
	if err != nil {
		return nil, err
	}
	return c.managedCallback(a, row.ID)
}

// changeEndpoint changes a row that is locked.
func (c *change) changeEndpoint(row *models.CallbackURL, ch EndpointChanges) error {
	events, o, err := endpointOf(row)
	if err != nil {
		return err
	}
	was := row.Enabled
	in := EndpointInput{Format: row.Format, URL: row.URL, Secret: row.Secret, Events: events, Options: o, Enabled: row.Enabled}
	into(&in.URL, ch.URL)
	into(&in.Secret, ch.Secret)
	if ch.Events.Set {
		in.Events = ch.Events.Value
	}
	if ch.Options.Set {
		in.Options = ch.Options.Value
	}
	into(&in.Enabled, ch.Enabled)
	if in.Enabled || ch.URL.Set || ch.Secret.Set || ch.Events.Set || ch.Options.Set { // one can be switched off whatever is stored
		if err := in.check(); err != nil {
			return err
		}
	}
	row.URL, row.Secret, row.Enabled = in.URL, in.Secret, in.Enabled
	if ch.Secret.Set {
		row.OldSecret, row.OldSecretUntil = "", 0
	}
	row.CallbackProgress = restarted(row.CallbackProgress)
	if in.Enabled && !was {
		bounds, err := c.tx.JournalBounds()
		if err != nil {
			return err
		}
		row.CursorSeq, row.CursorPart = bounds.LastSeq, 0
	}
	row.Generation++
	if err := putEndpoint(row, unique(in.Events), in.Options); err != nil {
		return err
	}
	c.after = append(c.after, c.s.Callbacks.Changed)
	return c.tx.PutCallbackURL(row)
}

// DeleteEndpoint removes an endpoint. Nothing more is sent to it.
func (s *Service) DeleteEndpoint(ctx context.Context, a Actor, format, publicID string) error {
	return s.change(ctx, func(c *change) error {
		row, err := c.lockEndpoint(a, format, publicID)
		if err != nil {
			return err
		}
		if err := c.tx.DeleteCallbackURL(row.ID); err != nil {
			return err
		}
		c.after = append(c.after, s.Callbacks.Changed)
		return c.auditEndpoint(a, AuditCallbackRemoved, row, endpointFacts(row))
	})
}

// endpointFacts returns an endpoint for the audit log: of the URL the host, of the headers their
// names, because the rest may be secret.
func endpointFacts(row *models.CallbackURL) map[string]string {
	facts := callbackFacts(row)
	delete(facts, "chats")
	facts["format"], facts["enabled"], facts["signed"] = row.Format, fmt.Sprint(row.Enabled), fmt.Sprint(row.Secret != "")
	if _, o, err := endpointOf(row); err == nil {
		facts["headers"] = strings.Join(slices.Sorted(maps.Keys(o.Headers)), " ")
		facts["byEvents"], facts["base64"] = fmt.Sprint(o.ByEvents), fmt.Sprint(o.Base64)
	}
	return facts
}

func (c *change) auditEndpoint(a Actor, action string, row *models.CallbackURL, details map[string]string) error {
	return c.audit(row.CompanyID, audited{action: action, by: a.auditor(), on: callbackTarget(row), details: details})
}
