// Package crmtest provides a small company to test the rules with: New fills a store
// with it and returns a Service over it. When a test ends, every event that it caused
// is checked against its JSON Schema.
package crmtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/bridge"
	"chatcast/models"
)

// Ids of the world. Its lines are bridges. CompanyID and LicenseID are those of the documentation's
// examples. StrangeCompany has nothing to do with them.
const (
	CompanyID      = 2224
	LicenseID      = 1229
	OtherLicenseID = 1230 // of CompanyID too, with grWhatsApp; operators have no access
	StrangeCompany = 3000
	StrangeLicense = 3001 // of StrangeCompany, with grWhatsApp and telegram
	Start          = 1637319300
)

// World is a Service over a store with two companies in it.
type World struct {
	*crm.Service
	Live     *Live
	Clock    *Clock
	FilesDir string // where the attachments lie

	Owner    crm.Actor // of CompanyID: user 685
	Admin    crm.Actor // of CompanyID: user 686
	Operator crm.Actor // may write LicenseID: user 687
	Reader   crm.Actor // may read LicenseID: user 688
	OnlyMine crm.Actor // may write LicenseID, only their own chats and unassigned ones: user 689
	Outsider crm.Actor // an operator of CompanyID without any licence: user 690
	Stranger crm.Actor // owner of StrangeCompany: user 900
}

// New fills store with the world and returns it. The clock stands at Start until
// the test moves it.
func New(t testing.TB, store *models.Store) *World {
	t.Helper()
	w := newWorld(t, store)
	if err := store.Tx(t.Context(), func(tx *models.Tx) error { return w.fill(tx) }); err != nil {
		t.Fatalf("crmtest: fill the store: %v", err)
	}
	t.Cleanup(func() { ValidateJournal(t, w.Store) })
	return w
}

// Reopen returns the world that New once put into the store, perhaps with an earlier
// version of the program. The events in it are not checked, because their schemas were
// those of that version.
func Reopen(t testing.TB, store *models.Store) *World {
	t.Helper()
	w := newWorld(t, store)
	for _, p := range w.people() {
		*p.actor = crm.Actor{UserID: p.id, AppID: appID(p.id)}
	}
	return w
}

func newWorld(t testing.TB, store *models.Store) *World {
	w := &World{Live: &Live{}, Clock: &Clock{now: time.Unix(Start, 0)}, FilesDir: t.TempDir()}
	w.Service = crm.New(crm.Options{
		Store: store, Live: w.Live, Now: w.Clock.Now, Log: slog.New(slog.DiscardHandler),
		PasswordCost: 4, Files: crm.Folder(w.FilesDir),
		Messengers: map[string]crm.Messenger{"": bridge.Messenger{}},
	})
	t.Cleanup(func() { validatePublished(t, w.Live.Published()) })
	return w
}

func (w *World) fill(tx *models.Tx) error {
	const at = Start - 86400
	rows := []any{
		&models.Company{ID: CompanyID, Name: "Company", CreatedAt: at},
		&models.Company{ID: StrangeCompany, Name: "Strange company", CreatedAt: at},
		&models.License{ID: LicenseID, CompanyID: CompanyID, Name: "License", CreatedAt: at},
		&models.License{ID: OtherLicenseID, CompanyID: CompanyID, Name: "Other license", CreatedAt: at},
		&models.License{ID: StrangeLicense, CompanyID: StrangeCompany, Name: "Strange license", CreatedAt: at},
	}
	for _, m := range []models.Messenger{
		{LicenseID: LicenseID, Type: "grWhatsApp"}, {LicenseID: LicenseID, Type: "telegram"},
		{LicenseID: LicenseID, Type: "WhatsApp"}, {LicenseID: OtherLicenseID, Type: "grWhatsApp"},
		{LicenseID: StrangeLicense, Type: "grWhatsApp"}, {LicenseID: StrangeLicense, Type: "telegram"},
	} {
		m.Name, m.CreatedAt, m.Bridge = crm.LookupMessenger(m.Type).Name, at, true
		rows = append(rows, &m, instanceOf(m, len(rows)))
	}
	for _, p := range w.people() {
		*p.actor = crm.Actor{UserID: p.id, AppID: appID(p.id)}
		rows = append(rows,
			&models.User{ID: p.id, Email: p.email, Name: p.name, PasswordHash: "none", CompanyID: &p.company, CreatedAt: at},
			&models.Employee{CompanyID: p.company, UserID: p.id, Role: p.role, OnlyMine: p.onlyMine, Workday: "end", CreatedAt: at},
			&models.Token{
				UserID: p.id, AppID: appID(p.id), CreatedAt: at,
				AccessHash: hash(accessToken(p.id)), AccessExpiresAt: Start + 10*365*86400,
				RefreshHash: hash("refresh-" + accessToken(p.id)), RefreshExpiresAt: Start + 10*365*86400,
			})
		if p.licensed {
			rows = append(rows, &models.EmployeeLicense{UserID: p.id, LicenseID: LicenseID, CanWrite: p.write})
		}
	}
	return tx.Insert(rows...)
}

// personOf is an employee of the world.
type personOf struct {
	actor           *crm.Actor
	id, company     int64
	email, name     string
	role            string
	onlyMine        bool
	licensed, write bool
}

func (w *World) people() []personOf {
	return []personOf{
		{&w.Owner, 685, CompanyID, "test@test.test", "Owner", models.RoleOwner, false, false, false},
		{&w.Admin, 686, CompanyID, "admin@test.test", "Admin", models.RoleAdmin, false, false, false},
		{&w.Operator, 687, CompanyID, "operator@test.test", "Operator", models.RoleOperator, false, true, true},
		{&w.Reader, 688, CompanyID, "reader@test.test", "Reader", models.RoleOperator, false, true, false},
		{&w.OnlyMine, 689, CompanyID, "mine@test.test", "Only mine", models.RoleOperator, true, true, true},
		{&w.Outsider, 690, CompanyID, "outsider@test.test", "Outsider", models.RoleOperator, false, false, false},
		{&w.Stranger, 900, StrangeCompany, "stranger@test.test", "Stranger", models.RoleOwner, false, false, false},
	}
}

// Token returns an access token of the actor, valid for years of the world's clock.
func (w *World) Token(a crm.Actor) string { return accessToken(a.UserID) }

func accessToken(userID int64) string { return "token-of-" + appID(userID) }

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Tx runs f on the world's store, for rows that a test sets up without the rules.
func (w *World) Tx(t testing.TB, f func(tx *models.Tx) error) {
	t.Helper()
	if err := w.Store.Tx(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// Clock is the world's time. Safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

// Now returns the world's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to unix.
func (c *Clock) Set(unix int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = time.Unix(unix, 0)
}

// Advance moves the clock by d.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// instanceOf returns the instance of a line of the world; n is another number for each.
func instanceOf(m models.Messenger, n int) *models.Instance {
	company := int64(CompanyID)
	if m.LicenseID == StrangeLicense {
		company = StrangeCompany
	}
	return &models.Instance{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), CompanyID: company, LicenseID: m.LicenseID, MessengerType: m.Type,
		Name: fmt.Sprintf("%d-%s", m.LicenseID, m.Type), Shape: crm.ShapeV2, Settings: "{}", Websocket: `{"enabled":true,"events":[]}`,
		CreatedAtMS: m.CreatedAt * 1000, UpdatedAtMS: m.CreatedAt * 1000,
	}
}
