package crm

import (
	"context"
	"errors"
	"strings"

	"chatcast/channels"
	"chatcast/models"
)

// TestEndpoint posts the event CallbackTest to an endpoint, at once, and returns how that went.
func (s *Service) TestEndpoint(ctx context.Context, a Actor, format, publicID string) (CallbackAttempt, error) {
	row, err := endpointFor(s.Store.Read(ctx), a, format, publicID)
	if err != nil {
		return CallbackAttempt{}, err
	}
	return s.Callbacks.Post(ctx, row.CompanyID, func() (to CallbackTarget, ev CallbackEvent, err error) {
		if row, err = endpointFor(s.Store.Read(ctx), a, format, publicID); err != nil {
			return to, ev, err
		}
		to, err = targetOf(row, s.Now())
		return to, CallbackEvent{Name: CallbackTest, Line: to.Line, At: s.Now(), Body: []byte(`{"data":[],"meta":{}}`)}, err
	})
}

// LiveTargets lists the endpoints that get the events of a line that are not in the journal. Those of
// its company get them only if they select the line: the codes of a line are for nobody else.
func (s *Service) LiveTargets(ctx context.Context, companyID int64, on Line) (map[int64]CallbackTarget, error) {
	rows, err := s.Store.Read(ctx).LiveEndpoints(companyID, on.LicenseID, on.Messenger)
	if err != nil {
		return nil, err
	}
	all := map[int64]CallbackTarget{}
	for i := range rows {
		f, err := filterOf(&rows[i])
		if err == nil && rows[i].LicenseID == nil && !f.ofLines(on.Channel()) {
			continue
		}
		to, err2 := targetOf(&rows[i], s.Now())
		if err := errors.Join(err, err2); err != nil { // the others do not depend on it
			s.Log.DebugContext(ctx, "an endpoint is stored in a wrong form, and gets no events", "error", err)
			continue
		}
		all[rows[i].ID] = to
	}
	return all, nil
}

// ReportLive logs an attempt at an event that is not in the journal. What was answered is left
// out, because nobody knows when what the event says is deleted.
func (s *Service) ReportLive(ctx context.Context, id int64, r CallbackReported) error {
	r.Attempt.Answer = ""
	return s.change(ctx, func(c *change) error {
		return c.tx.LogCallback(id, []models.CallbackDelivery{attemptRow(models.CallbackLive, r)})
	})
}

// postLive hands an event that is not in the journal to the endpoints of its line.
func (s *Service) postLive(ev Event, data string) {
	for _, name := range ev.Channels {
		if !strings.HasPrefix(name, linePrefix) { // those for the codes of lines begin so too
			continue
		}
		parsed, err := channels.Parse(name)
		if err != nil {
			continue
		}
		s.Callbacks.Live(ev.CompanyID, CallbackEvent{
			Name: ev.Name, Body: callbackBody(data), Line: Line{parsed.Room().LicenseID, parsed.Room().Messenger}, At: s.Now(),
		})
		return
	}
}
