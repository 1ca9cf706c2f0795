package crm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"chatcast/channels"
	"chatcast/models"
)

// BootstrapConfig describes the first rows of a new database. The database chooses
// an id that is zero.
type BootstrapConfig struct {
	Company BootstrapCompany
	User    BootstrapUser
	License BootstrapLicense
	AppID   string // of the user's first tokens; empty: app_{user}_1
}

// BootstrapCompany is the first company.
type BootstrapCompany struct {
	ID   int64
	Name string
}

// BootstrapUser is the company's owner. An empty password is generated.
type BootstrapUser struct {
	ID       int64
	Email    string
	Name     string
	Password string
}

// BootstrapLicense is the company's first licence.
type BootstrapLicense struct {
	ID         int64
	Name       string
	Messengers []string // types
}

// Bootstrapped is the result of Bootstrap.
type Bootstrapped struct {
	Created           bool // false: the database had users already, and nothing was done
	Email             string
	Password          string // in clear text, for the person who starts the program; empty unless Created
	GeneratedPassword bool
	UserID            int64
	AppID             string
}

// Check returns the violations in cfg, each with its key, or nil.
func (cfg BootstrapConfig) Check() error {
	violations := []error{
		checkRequired("company.name", cfg.Company.Name, maxName),
		checkRequired("user.name", cfg.User.Name, maxName),
		checkRequired("license.name", cfg.License.Name, maxName),
	}
	_, err := newEmail("user.email", cfg.User.Email)
	violations = append(violations, err)
	if cfg.User.Password != "" {
		violations = append(violations, checkPassword("user.password", cfg.User.Password))
	}
	for key, id := range map[string]int64{"company.id": cfg.Company.ID, "user.id": cfg.User.ID, "license.id": cfg.License.ID} {
		if id < 0 {
			violations = append(violations, Invalid(key, "must not be negative"))
		}
	}
	if checkAppID(cfg.AppID) != nil {
		violations = append(violations, Invalid("app_id", "must look like app_685_1"))
	} else if cfg.AppID != "" && cfg.User.ID > 0 && !strings.HasPrefix(cfg.AppID, fmt.Sprintf("app_%d_", cfg.User.ID)) {
		violations = append(violations, Invalid("app_id", "must begin with app_%d_, the app's user", cfg.User.ID))
	}
	seen := map[string]bool{}
	for i, typ := range cfg.License.Messengers {
		key := fmt.Sprintf("license.messengers[%d]", i)
		if !channels.ValidMessenger(typ) {
			violations = append(violations, Invalid(key, "must be 1 to 32 letters and digits, a letter first"))
		} else if seen[typ] {
			violations = append(violations, Invalid(key, "stands there twice"))
		}
		seen[typ] = true
	}
	return allViolations(violations...)
}

// Bootstrap fills a database that has no user with one company, its owner and one
// licence. When several nodes start at once, only one of them does it.
func (s *Service) Bootstrap(ctx context.Context, cfg BootstrapConfig) (Bootstrapped, error) {
	if err := cfg.Check(); err != nil {
		return Bootstrapped{}, err
	}
	if has, err := s.Store.Read(ctx).HasUsers(); has || err != nil {
		return Bootstrapped{}, err
	}
	done := Bootstrapped{Created: true, Password: cfg.User.Password, AppID: cfg.AppID}
	if done.Password == "" {
		done.Password, done.GeneratedPassword = newPassword(), true
	}
	hash, err := s.passwords.hash(ctx, true, done.Password)
	if err != nil {
		return Bootstrapped{}, err
	}
	err = s.Store.Tx(ctx, func(tx *models.Tx) error {
		// A second node waits here for the first one, and then sees its users.
		if _, err := tx.EnsureSetting("bootstrap", "done"); err != nil {
			return err
		}
		if has, err := tx.HasUsers(); has || err != nil {
			done = Bootstrapped{}
			return err
		}
		return s.fill(tx, cfg, hash, &done)
	})
	if err != nil {
		return Bootstrapped{}, fmt.Errorf("crm: bootstrap: %w", err)
	}
	return done, nil
}

func (s *Service) fill(tx *models.Tx, cfg BootstrapConfig, hash string, done *Bootstrapped) error {
	now := s.Now().Unix()
	email, err := newEmail("user.email", cfg.User.Email)
	if err != nil {
		return err
	}
	company := &models.Company{ID: cfg.Company.ID, Name: cfg.Company.Name, CreatedAt: now}
	user := &models.User{ID: cfg.User.ID, Email: email, Name: cfg.User.Name, PasswordHash: hash, CompanyID: &company.ID, CreatedAt: now}
	license := &models.License{ID: cfg.License.ID, Name: cfg.License.Name, CreatedAt: now}
	if err := errors.Join(tx.CreateCompany(company), tx.CreateUser(user)); err != nil {
		return err
	}
	license.CompanyID = company.ID
	err = tx.CreateEmployee(&models.Employee{
		CompanyID: company.ID, UserID: user.ID, Role: models.RoleOwner, Workday: TypeEnd, CreatedAt: now,
	})
	if err := errors.Join(err, tx.CreateLicense(license)); err != nil {
		return err
	}
	c := &change{tx: tx, s: s, now: s.Now()}
	for _, typ := range cfg.License.Messengers {
		m := &models.Messenger{LicenseID: license.ID, Type: typ, Name: LookupMessenger(typ).Name, CreatedAt: now}
		if err := s.addLine(c, Actor{}, company.ID, m, &Instance{Websocket: allEvents}); err != nil {
			return err
		}
	}
	for _, table := range []string{"companies", "users", "licenses"} {
		if err := tx.BumpIdentity(table); err != nil {
			return err
		}
	}
	err = c.audit(company.ID, audited{
		action: AuditCompanyMade, by: byHost, on: ofID(targetCompany, company.ID, company.Name), details: map[string]string{"owner": email},
	})
	if err := errors.Join(err, tx.AdoptAudit(company.ID)); err != nil {
		return err
	}
	done.Email, done.UserID = email, user.ID
	if done.AppID == "" {
		done.AppID = defaultApp(user.ID)
	}
	return nil
}

// AppSecret returns the secret of the Pusher app with this id. The first call
// generates and stores it.
func (s *Service) AppSecret(ctx context.Context, appID string) (string, error) {
	return s.keptSecret(ctx, "app_secret."+appID)
}

// keptSecret returns the secret with this name: 32 random bytes in hex. The first
// call generates and stores it. Nodes that call it at the same time get the same one.
func (s *Service) keptSecret(ctx context.Context, name string) (string, error) {
	value, err := s.Store.Read(ctx).Setting(name)
	if !errors.Is(err, models.ErrNotFound) {
		return value, err
	}
	err = s.Store.Tx(ctx, func(tx *models.Tx) error {
		value, err = tx.EnsureSetting(name, randomToken())
		return err
	})
	return value, err
}
