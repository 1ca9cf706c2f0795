package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// IngestAs applies a request of a bridge's program in one transaction, on behalf of
// the actor. When it returns nil the request is durable. It is idempotent by
// messenger, chat and message id. The line is a bridge from then on.
//
// The actor must be an owner, an admin or a key with that right (CodeDenied): whoever can
// deliver messages can write in any customer's name. A paired line has an account of its own and is no longer a bridge
// (CodeConflict). CodeInvalid names each wrong field by its path.
func (s *Service) IngestAs(ctx context.Context, a Actor, on Line, in InboundRequest) (answer InboundAnswer, err error) {
	// Authorise first: an actor without access learns nothing of the fields.
	if _, err := s.lineForActor(s.Store.Read(ctx), a, on); err != nil {
		return answer, err
	}
	b, err := in.batch(on.Messenger, s.Now().Unix())
	if err != nil {
		return answer, err
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return answer, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		l, err := s.lineForActor(c.tx, a, on)
		if err != nil {
			return err
		}
		result, err := c.applyInbound(l, v, b)
		answer = InboundAnswer{Messages: result.Messages, Statuses: result.Statuses}
		if err != nil || l.access.Bridge {
			return err
		}
		return c.tx.SetBridge(on.LicenseID, on.Messenger)
	})
	return answer, err
}

// Ingest applies a batch of a connector in one transaction. When it returns nil the
// batch is durable and may be acknowledged. It is idempotent. It owns the
// attachments of the batch, also when it fails.
//
// CodeInvalid means that a part of the batch is never accepted. CodeNotFound means that
// the line no longer exists. After any other error the same batch may succeed later.
func (s *Service) Ingest(ctx context.Context, on Line, in InboundBatch) (result InboundResult, err error) {
	defer func() { in.discard(result, err) }()
	b, err := in.batch(on.Messenger, s.Now().Unix())
	if err != nil {
		return result, err
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return result, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		l, err := lineForConnector(c.tx, on)
		if err != nil {
			return err
		}
		result, err = c.applyInbound(l, v, b)
		return err
	})
	return result, err
}

func (s *Service) lineForActor(tx *models.Tx, a Actor, on Line) (*line, error) {
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, inbound)
	if err != nil {
		return nil, err
	}
	x, _, err := s.account(tx, on)
	if err == nil && x != nil {
		err = conflict("this line is paired with an account, and its messages come from there")
	}
	return l, err
}

// lineForConnector returns the line for its own connector, which needs no permission.
func lineForConnector(tx *models.Tx, on Line) (*line, error) {
	l, err := tx.LineOf(on.LicenseID, on.Messenger)
	if err != nil {
		return nil, orNotFound(err, "license or messenger")
	}
	return &line{companyID: l.CompanyID, licenseID: on.LicenseID, messenger: on.Messenger}, nil
}

// discard removes the attachments that no message refers to. After an internal
// error the transaction may have been committed all the same: the attachments stay,
// and Sweep removes those without a message.
func (in *InboundBatch) discard(result InboundResult, err error) {
	var refused *Error
	for i := range in.Messages {
		stored := err == nil && result.Messages[i].Result != ResultDuplicate && result.Messages[i].Result != ResultUnknown
		if !stored && (err == nil || errors.As(err, &refused)) {
			in.Messages[i].Attachment.Discard()
		}
	}
}

// applyInbound applies the parts of a batch, each after those that it may refer to.
// Tags are always locked before chats.
func (c *change) applyInbound(l *line, v renderer, b batch) (answer InboundResult, err error) {
	c.quiet = b.history
	answer = InboundResult{Messages: []InboundMessageResult{}, Statuses: []InboundStatusResult{}}
	tags, err := c.applyLabels(l, b)
	if err != nil {
		return answer, err
	}
	chats, err := c.inboundChats(l, b)
	if err != nil {
		return answer, err
	}
	if err := c.applyContacts(l, chats, b); err != nil {
		return answer, err
	}
	if answer.Messages, err = each(answer.Messages, b.messages, func(m *messageArrival) (InboundMessageResult, error) {
		return c.applyMessage(v, chats, m)
	}); err != nil {
		return answer, err
	}
	if answer.Edits, err = each(nil, b.edits, func(e *editArrival) (string, error) { return c.applyEdit(v, chats, e) }); err != nil {
		return answer, err
	}
	if answer.Deletes, err = each(nil, b.deletes, func(d *deleteArrival) (string, error) { return c.applyDelete(v, chats, d) }); err != nil {
		return answer, err
	}
	if answer.Statuses, err = each(answer.Statuses, b.statuses, func(st *statusArrival) (InboundStatusResult, error) {
		return c.applyStatus(v, chats, st)
	}); err != nil {
		return answer, err
	}
	if answer.Reads, err = each(nil, b.reads, func(r *readArrival) (string, error) { return c.applyRead(chats, r) }); err != nil {
		return answer, err
	}
	if answer.Tags, err = each(nil, b.tags, func(t *tagArrival) (string, error) { return c.applyTag(chats, tags, t) }); err != nil {
		return answer, err
	}
	if answer.Archives, err = each(nil, b.archives, func(a *archiveArrival) (string, error) { return c.applyArchive(chats, a) }); err != nil {
		return answer, err
	}
	if answer.States, err = each(nil, b.states, func(st *chatStateArrival) (string, error) { return c.applyState(chats, st) }); err != nil {
		return answer, err
	}
	if answer.Calls, err = each(nil, b.calls, func(k *callArrival) (string, error) { return c.applyCall(l, chats, k) }); err != nil {
		return answer, err
	}
	for i := range b.gone {
		c.applyGone(l, chats, &b.gone[i])
	}
	if err := c.applyGroups(l, chats, b); err != nil {
		return answer, err
	}
	return answer, c.emitPast(l, v, chats, b)
}

// each appends the result of f for every item, until f fails.
func each[T, R any](results []R, items []T, f func(*T) (R, error)) ([]R, error) {
	for i := range items {
		r, err := f(&items[i])
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}
