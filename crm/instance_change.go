package crm

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// ErrInstanceName is the error when another instance of the company has the name.
var ErrInstanceName = conflict("the company has an instance with this name already")

// InstanceChanges are changes of an instance. Absent fields stay as they are.
type InstanceChanges struct {
	Name, Shape     Field[string]
	RejectCall      Field[bool]
	MsgCall         Field[string]
	GroupsIgnore    Field[bool]
	AlwaysOnline    Field[bool]
	Online          Field[bool]
	ReadMessages    Field[bool]
	ReadStatus      Field[bool]
	SyncFullHistory Field[bool]
	WavoipToken     Field[string]
	Websocket       Field[InstanceEvents]
	Webhook         Field[InstanceWebhook] // null removes it
}

// check checks what can be checked without the instance.
func (ch *InstanceChanges) check() error {
	var name, shape, hook error
	if ch.Name.Set {
		name = CheckInstanceName("name", ch.Name.Value)
	}
	if ch.Shape.Set && !ValidShape(ch.Shape.Value) {
		shape = Invalid("shape", "must be v2, v1 or l2msg")
	}
	if ch.Webhook.Set && !ch.Webhook.Null {
		hook = ch.Webhook.Value.check()
	}
	return allViolations(name, shape, hook, checkText("msgCall", ch.MsgCall.Value, MaxText), checkText("wavoipToken", ch.WavoipToken.Value, maxWavoip),
		ch.Websocket.Value.check("websocket.events"),
		ch.RejectCall.notNull("rejectCall"), ch.MsgCall.notNull("msgCall"), ch.GroupsIgnore.notNull("groupsIgnore"), ch.AlwaysOnline.notNull("alwaysOnline"), ch.Online.notNull("online"),
		ch.ReadMessages.notNull("readMessages"), ch.ReadStatus.notNull("readStatus"), ch.SyncFullHistory.notNull("syncFullHistory"),
		ch.WavoipToken.notNull("wavoipToken"), ch.Websocket.notNull("websocket"))
}

// check returns what is wrong with a webhook. One that is off may have any text as its URL:
// clients send a word then.
func (w *InstanceWebhook) check() error {
	errs := []error{checkText("webhook.url", w.URL, maxWebhookURL), checkEventNames("webhook.events", w.Events)}
	if w.Enabled {
		if message := apps.CheckWebhookURL(w.URL); message != "" {
			errs = append(errs, Invalid("webhook.url", "%s", message))
		}
	}
	errs = append(errs, checkHeaders("webhook.headers", w.Headers))
	return allViolations(errs...)
}

// apply changes an instance. The webhook gets its times.
func (ch *InstanceChanges) apply(i *Instance) {
	into(&i.Name, ch.Name)
	into(&i.Shape, ch.Shape)
	st := &i.Settings
	into(&st.RejectCall, ch.RejectCall)
	into(&st.MsgCall, ch.MsgCall)
	into(&st.GroupsIgnore, ch.GroupsIgnore)
	into(&st.AlwaysOnline, ch.AlwaysOnline)
	into(&st.Online, ch.Online)
	into(&st.ReadMessages, ch.ReadMessages)
	into(&st.ReadStatus, ch.ReadStatus)
	into(&st.SyncFullHistory, ch.SyncFullHistory)
	into(&st.WavoipToken, ch.WavoipToken)
	if ch.Websocket.Set {
		i.Websocket = ch.Websocket.Value
		i.Websocket.Events = append([]string{}, i.Websocket.Events...)
	}
	if ch.Webhook.Null {
		i.Webhook = nil
	} else if ch.Webhook.Set {
		hook := ch.Webhook.Value
		hook.CreatedAt = i.UpdatedAt
		if i.Webhook != nil {
			hook.CreatedAt = i.Webhook.CreatedAt
		}
		hook.Events, hook.UpdatedAt = append([]string{}, hook.Events...), i.UpdatedAt
		i.Webhook = &hook
	}
}

// instanceFacts returns an instance for the audit log: no text of people, and no secret.
func instanceFacts(i *Instance) map[string]string {
	facts := map[string]string{
		"name": i.Name, "shape": i.Shape, "rejectCall": fmt.Sprint(i.Settings.RejectCall), "groupsIgnore": fmt.Sprint(i.Settings.GroupsIgnore),
		"alwaysOnline": fmt.Sprint(i.Settings.AlwaysOnline), "online": fmt.Sprint(i.Settings.Online), "readMessages": fmt.Sprint(i.Settings.ReadMessages), "readStatus": fmt.Sprint(i.Settings.ReadStatus),
		"syncFullHistory": fmt.Sprint(i.Settings.SyncFullHistory), "websocket": fmt.Sprint(i.Websocket.Enabled), "webhook": "",
	}
	if i.Webhook != nil {
		facts["webhook"] = fmt.Sprint(i.Webhook.Enabled)
		if u, err := url.Parse(i.Webhook.URL); err == nil && u.Host != "" {
			facts["webhook"] += " " + u.Host // the rest may be secret
		}
	}
	return facts
}

// ChangeInstance changes an instance. The actor must be allowed to manage its line.
func (s *Service) ChangeInstance(ctx context.Context, a Actor, name string, ch InstanceChanges) (changed *Instance, err error) {
	if err := s.checkInstanceWebhook(ctx, a, name, ch); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(c *change) error {
		row, err := instanceNamed(c.tx, a, name)
		if err != nil {
			return err
		}
		needs := manage
		if ch.Webhook.Set {
			needs = hooks
		}
		if _, err := s.line(c.tx, a, row.LicenseID, row.MessengerType, needs); err != nil {
			return err
		}
		if err := ch.check(); err != nil {
			return err
		}
		changed, err = s.changeInstance(c, a, row.ID, ch)
		return err
	})
	if errors.Is(err, models.ErrDuplicate) {
		return nil, ErrInstanceName
	}
	return changed, err
}

func (s *Service) changeInstance(c *change, a Actor, id string, ch InstanceChanges) (*Instance, error) {
	row, err := c.tx.InstanceByID(id)
	if err != nil {
		return nil, orNotFound(err, "instance")
	}
	if _, err := c.tx.LockLicense(row.LicenseID); err != nil { // one change of settings at a time
		return nil, orNotFound(err, "instance")
	}
	if row, err = c.tx.LockInstance(id); err != nil {
		return nil, orNotFound(err, "instance")
	}
	i, err := instance(row)
	if err != nil {
		return nil, err
	}
	if i, err = i.withLineSettings(c.tx); err != nil {
		return nil, err
	}
	before := instanceFacts(i)
	i.UpdatedAt = c.now.UTC()
	ch.apply(i)
	if err := i.store(row); err != nil {
		return nil, err
	}
	row.UpdatedAtMS = c.now.UnixMilli()
	if err := c.tx.SaveInstance(row); err != nil {
		return nil, err
	}
	c.tellInstances()
	if ch.Webhook.Set {
		if err := c.serveWebhook(i); err != nil {
			return nil, err
		}
	}
	if err := s.saveAccountSettings(c, i); err != nil {
		return nil, err
	}
	return i, c.audit(i.CompanyID, audited{
		action: AuditInstanceChanged, by: a.auditor(), on: lineTarget(i.Line.LicenseID, i.Line.Messenger), details: differences(before, instanceFacts(i)),
	})
}

// saveAccountSettings stores the settings that LineSettings holds, and tells the connector to read
// them again.
func (s *Service) saveAccountSettings(c *change, i *Instance) error {
	row, err := c.tx.LineSettings(i.Line.LicenseID, i.Line.Messenger)
	if err != nil {
		return err
	}
	if row.RejectCalls != i.Settings.RejectCall || row.RejectText != i.Settings.MsgCall {
		row.RejectCalls, row.RejectText = i.Settings.RejectCall, i.Settings.MsgCall
		if err := c.tx.PutLineSettings(row); err != nil {
			return err
		}
	}
	connector, err := s.messenger(i.Line.Messenger)
	if err != nil {
		return nil // nothing serves such lines: the settings wait
	}
	to, ok := connector.(Configured)
	if !ok {
		return nil
	}
	c.after = append(c.after, func() { to.Configure(i.Line) })
	return c.wake(connector, i.Line, NewsSettings)
}

// defaultInstanceName returns the name of the instance of a line that nobody has given a name.
func defaultInstanceName(licenseID int64, messenger string) string {
	return fmt.Sprintf("%d-%s", licenseID, messenger)
}

// addLine adds a messenger to a licence, with its instance. It returns models.ErrDuplicate when the
// licence has the messenger, and ErrInstanceName when the instance has a name that is taken; an
// instance without a name gets one of its own.
func (s *Service) addLine(c *change, a Actor, companyID int64, m *models.Messenger, i *Instance) error {
	if err := c.tx.CreateMessenger(m); err != nil {
		return err
	}
	i.ID, i.CompanyID, i.Line = newUUID(), companyID, Line{LicenseID: m.LicenseID, Messenger: m.Type}
	i.CreatedAt, i.UpdatedAt = c.now.UTC(), c.now.UTC()
	if i.Shape == "" {
		i.Shape = s.DefaultShape
	}
	names := []string{i.Name}
	if i.Name == "" {
		own := defaultInstanceName(m.LicenseID, m.Type)
		names = []string{own, own + "-" + strings.SplitN(i.ID, "-", 2)[0]}
	}
	for _, name := range names {
		i.Name = name
		row := &models.Instance{
			ID: i.ID, CompanyID: companyID, LicenseID: m.LicenseID, MessengerType: m.Type,
			CreatedAtMS: c.now.UnixMilli(), UpdatedAtMS: c.now.UnixMilli(), OwnLicense: i.ownLicense, Token: i.token, Number: i.Number,
		}
		if err := i.store(row); err != nil {
			return err
		}
		added, err := c.tx.CreateInstance(row)
		if err != nil {
			return err
		}
		if added {
			c.tellInstances()
			return c.emitInstance(a, TypeCreate, companyID, i.Line, InstanceRef{i.ID, i.Name})
		}
	}
	return ErrInstanceName
}
