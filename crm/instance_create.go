package crm

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"chatcast/models"
)

// ErrInstanceToken is the error when the key that a client chose for an instance is in use.
var ErrInstanceToken = conflict("this key is in use already")

// logoutTime is how long the deletion of an instance waits for its account to be logged out.
const logoutTime = 10 * time.Second

// InstanceInput describes an instance to create: a line of its own, in a licence of its own.
type InstanceInput struct {
	CompanyID int64 // 0: the actor's only company
	Name      string
	Shape     string // empty: as configured
	Token     string // of the key of its line; empty: one is drawn
	Settings  InstanceSettings
	Websocket *InstanceEvents // nil: all events
	Webhook   *InstanceWebhook
	Endpoint  *EndpointInput // of another format than Webhook; nil: none
	Proxy     string         // URL; empty: none
	Number    string         // the phone number that it is for, as the client wrote it; empty: none
}

// CreatedInstance is a new instance and the key of its line, which is not shown again.
type CreatedInstance struct {
	Instance
	Key string
}

func (in *InstanceInput) check() error {
	var shape, hook, endpoint, events, proxy error
	if in.Shape != "" && !ValidShape(in.Shape) {
		shape = Invalid("shape", "must be v2, v1 or l2msg")
	}
	if in.Webhook != nil {
		hook = in.Webhook.check()
	}
	if in.Endpoint != nil {
		endpoint = in.Endpoint.check()
	}
	if in.Websocket != nil {
		events = in.Websocket.check("websocket.events")
	}
	if in.Proxy != "" {
		proxy = checkProxy(in.Proxy)
	}
	return allViolations(CheckInstanceName("name", in.Name), checkText("number", in.Number, maxName), shape, hook, endpoint, events, proxy,
		checkText("msgCall", in.Settings.MsgCall, MaxText), checkText("wavoipToken", in.Settings.WavoipToken, maxWavoip))
}

// CreateInstance creates a licence with one messenger, grWhatsApp, its instance, and a key for the
// line. The actor must be allowed to create licences.
func (s *Service) CreateInstance(ctx context.Context, a Actor, in InstanceInput) (made *CreatedInstance, err error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := s.tryInstance(ctx, a, in); err != nil {
		return nil, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		companyID, err := lineManager(c.tx, a, in.CompanyID)
		if err == nil && (in.Webhook != nil || in.Endpoint != nil) {
			_, err = callbackKey(c.tx, a, companyID) // its events tell what a key reads
		}
		if err != nil {
			return err
		}
		made, err = s.createInstance(c, a, companyID, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// tryInstance tries the addresses that an instance is to have, before the transaction: that takes
// long. Nothing is looked up or dialled for an actor who may not create lines.
func (s *Service) tryInstance(ctx context.Context, a Actor, in InstanceInput) error {
	hook := in.Webhook != nil && in.Webhook.Enabled
	if !hook && in.Endpoint == nil && in.Proxy == "" {
		return nil
	}
	companyID, err := lineManager(s.Store.Read(ctx), a, in.CompanyID)
	if err != nil {
		return err
	}
	if hook {
		if err := s.Callbacks.CheckAddress(ctx, "webhook.url", in.Webhook.URL); err != nil {
			return err
		}
	}
	if in.Endpoint != nil {
		if err := s.Callbacks.CheckAddress(ctx, "url", in.Endpoint.URL); err != nil {
			return err
		}
	}
	if in.Proxy == "" {
		return nil
	}
	connector, err := s.messenger(messengerOfInstances)
	if err != nil {
		return err
	}
	return s.tryProxy(ctx, connector, companyID, in.Proxy)
}

func (s *Service) createInstance(c *change, a Actor, companyID int64, in InstanceInput) (*CreatedInstance, error) {
	if _, err := c.tx.LockCompany(companyID); err != nil { // for the key, but before the instances, as those who remove one do
		return nil, orNotFound(err, "company")
	}
	switch _, err := c.tx.InstanceNamed(companyID, in.Name); {
	case err == nil:
		return nil, ErrInstanceName
	case !errors.Is(err, models.ErrNotFound):
		return nil, err
	}
	l := &models.License{CompanyID: companyID, Name: strings.TrimSpace(in.Name), CreatedAt: c.now.Unix()}
	if err := c.tx.CreateLicense(l); err != nil {
		return nil, err
	}
	m := &models.Messenger{LicenseID: l.ID, Type: messengerOfInstances, Name: LookupMessenger(messengerOfInstances).Name, CreatedAt: c.now.Unix()}
	made := &CreatedInstance{
		Instance: Instance{Name: in.Name, Shape: in.Shape, Settings: in.Settings, Websocket: allEvents, Number: in.Number, Proxy: maskedProxy(in.Proxy), ownLicense: true},
		Key:      cmp.Or(in.Token, strings.ToUpper(newUUID())),
	}
	if s.ExposeTokens {
		made.token = made.Key
	}
	if in.Websocket != nil {
		made.Websocket = InstanceEvents{Enabled: in.Websocket.Enabled, Events: append([]string{}, in.Websocket.Events...)}
	}
	if in.Webhook != nil {
		hook := *in.Webhook
		hook.CreatedAt, hook.UpdatedAt, hook.Events = c.now.UTC(), c.now.UTC(), append([]string{}, hook.Events...)
		made.Webhook = &hook
	}
	if err := s.addLine(c, a, companyID, m, &made.Instance); err != nil {
		return nil, err
	}
	if err := c.serveWebhook(&made.Instance); err != nil {
		return nil, err
	}
	if in.Endpoint != nil {
		row, err := c.newEndpoint(companyID, made.Line, *in.Endpoint)
		if err == nil {
			err = c.auditEndpoint(a, AuditCallbackMade, row, endpointFacts(row))
		}
		if err != nil {
			return nil, err
		}
	}
	if in.Proxy != "" || in.Settings.RejectCall || in.Settings.MsgCall != "" {
		row := &models.LineSettings{
			LicenseID: l.ID, MessengerType: m.Type, Proxy: in.Proxy, RejectCalls: in.Settings.RejectCall, RejectText: in.Settings.MsgCall,
		}
		if err := c.tx.PutLineSettings(row); err != nil {
			return nil, err
		}
	}
	err := c.auditLicense(a, l, AuditLicenseMade, nil)
	if err == nil {
		err = c.auditMessenger(a, l, AuditMessengerAdded, m.Type)
	}
	if err != nil {
		return nil, err
	}
	return made, c.instanceKey(a, made)
}

// instanceKey makes the key of a new instance's line, which may do everything with it that the
// actor may.
func (c *change) instanceKey(a Actor, made *CreatedInstance) error {
	switch _, err := c.tx.KeyByHash(hashToken(made.Key)); {
	case err == nil:
		return ErrInstanceToken
	case !errors.Is(err, models.ErrNotFound):
		return err
	}
	rights, err := givable(c.tx, a)
	if err != nil {
		return err
	}
	_, err = c.addKey(a.auditor(), made.CompanyID, KeyInput{
		Name: made.Name, LicenseID: made.Line.LicenseID, Messenger: made.Line.Messenger, Rights: rights, Text: made.Key,
	})
	return err
}

// InstanceToken returns the key that an instance was created with, or nil when it is not kept or
// no longer works. The actor must be allowed to manage the line; a key learns of no key that may
// do more than itself.
func (s *Service) InstanceToken(ctx context.Context, a Actor, name string) (*string, error) {
	tx := s.Store.Read(ctx)
	row, err := instanceNamed(tx, a, name)
	if err != nil {
		return nil, err
	}
	if _, err := s.line(tx, a, row.LicenseID, row.MessengerType, manage); err != nil || row.Token == "" || !s.ExposeTokens {
		if hasDenied(err) {
			err = nil
		}
		return nil, err
	}
	k, err := tx.KeyByHash(hashToken(row.Token))
	if errors.Is(err, models.ErrNotFound) || err == nil && (k.LicenseID == nil || *k.LicenseID != row.LicenseID) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rights, err := givable(tx, a)
	if err != nil || !givesAll(rights, k) {
		return nil, err
	}
	return &row.Token, nil
}

// givesAll reports whether a key has none but these rights.
func givesAll(rights []string, k *models.APIKey) bool {
	return !slices.ContainsFunc(keyData(*k).Rights, func(right string) bool { return !slices.Contains(rights, right) })
}

// hasDenied reports whether err only says that a right is missing.
func hasDenied(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == CodeDenied
}

// messengerOfInstances is the messenger type of instances that are created as such.
const messengerOfInstances = "grWhatsApp"

// DeleteInstance logs the instance's account out and deletes the line, with its chats and
// messages. A licence that was created for the instance and has no other messenger is deleted too.
// The actor must be allowed to manage the line.
func (s *Service) DeleteInstance(ctx context.Context, a Actor, name string) error {
	tx := s.Store.Read(ctx)
	row, err := instanceNamed(tx, a, name)
	if err != nil {
		return err
	}
	if _, err := s.line(tx, a, row.LicenseID, row.MessengerType, manage); err != nil {
		return err
	}
	s.leaveAccount(ctx, a, Line{LicenseID: row.LicenseID, Messenger: row.MessengerType})
	return s.changeWithRetry(ctx, func(c *change) error {
		l, err := c.tx.LockLicense(row.LicenseID)
		if err != nil {
			return orNotFound(err, "instance")
		}
		if _, err := s.line(c.tx, a, row.LicenseID, row.MessengerType, manage); err != nil {
			return err
		}
		lines, err := c.tx.MessengersOf([]int64{l.ID})
		if err != nil {
			return err
		}
		if row.OwnLicense && len(lines) == 1 {
			return s.deleteLicense(c, a, l)
		}
		return s.deleteMessenger(c, a, l, row.MessengerType)
	})
}

// leaveAccount logs the account of a line out that will be deleted. When the messenger cannot be
// told, the phone shows the device until it notices.
func (s *Service) leaveAccount(ctx context.Context, a Actor, on Line) {
	connector, err := s.messenger(on.Messenger)
	if err != nil {
		return
	}
	x, _, err := s.account(s.Store.Read(ctx), on)
	if err == nil && x != nil && x.accepts() {
		ctx, cancel := context.WithTimeout(asking(ctx, a), logoutTime)
		defer cancel()
		err = connector.Logout(ctx, on)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "the account of a line that is deleted was not logged out", "line", lineTarget(on.LicenseID, on.Messenger).id, "error", err)
	}
}
