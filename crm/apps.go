package crm

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// MaxApps is the maximum number of apps in the database.
const MaxApps = 1000

// AppRules lists and changes the Pusher apps on behalf of a user or of the command
// line. See Apps and HostApps.
type AppRules struct {
	s   *Service
	by  auditor
	may func(tx *models.Tx) error
}

// Apps returns the rules of the apps for a user. Only owners and admins of the
// company that runs the server, which is the first company, may use them. All others
// get CodeDenied, whatever their role elsewhere and whether or not an app exists.
func (s *Service) Apps(a Actor) AppRules {
	return AppRules{s, a.auditor(), func(tx *models.Tx) error {
		runs, err := runsServer(tx, a)
		if err == nil && !runs {
			err = denied("only owners and admins of the company that runs the server may see and change its apps")
		}
		return err
	}}
}

// HostApps returns the rules of the apps for the command line. It checks no
// permission: a person who runs commands on the server's machine can read the
// database anyway.
func (s *Service) HostApps() AppRules {
	return AppRules{s, byHost, func(*models.Tx) error { return nil }}
}

var _ apps.Store = (*Service)(nil)

// LoadApps implements apps.Store: it returns the apps of the database, oldest first.
func (s *Service) LoadApps(ctx context.Context) (list []apps.App, version int64, err error) {
	tx := s.Store.Read(ctx)
	if version, err = tx.AppsVersion(); err != nil {
		return nil, 0, err
	}
	rows, err := tx.Apps()
	if err != nil {
		return nil, 0, err
	}
	for _, row := range rows {
		app, err := readApp(&row)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, app)
	}
	return list, version, nil
}

// AppsVersion implements apps.Store. The version rises with each change of the
// database's apps, whoever makes it.
func (s *Service) AppsVersion(ctx context.Context) (int64, error) {
	return s.Store.Read(ctx).AppsVersion()
}

// Allowed returns nil when r may see and change the apps.
func (r AppRules) Allowed(ctx context.Context) error { return r.may(r.s.Store.Read(ctx)) }

// List lists all apps, those of the configuration first.
func (r AppRules) List(ctx context.Context) ([]AppData, error) {
	tx := r.s.Store.Read(ctx)
	if err := r.may(tx); err != nil {
		return nil, err
	}
	rows, err := tx.Apps()
	if err != nil {
		return nil, err
	}
	list := []AppData{}
	for _, a := range *r.s.configApps.Load() {
		list = append(list, appData(a, AppOfConfig))
	}
	for _, row := range rows {
		if r.configured(row.ID) != nil {
			continue // the app of the configuration takes precedence
		}
		data, err := storedAppData(&row, r.s.Now())
		if err != nil {
			return nil, err
		}
		list = append(list, data)
	}
	return list, nil
}

// Get returns one app.
func (r AppRules) Get(ctx context.Context, id string) (AppData, error) {
	tx := r.s.Store.Read(ctx)
	if err := r.may(tx); err != nil {
		return AppData{}, err
	}
	if app := r.configured(id); app != nil {
		return appData(*app, AppOfConfig), nil
	}
	row, err := storedApp(tx, id)
	if err != nil {
		return AppData{}, err
	}
	return storedAppData(row, r.s.Now())
}

// configured returns the app of the configuration with this id, or nil.
func (r AppRules) configured(id string) *apps.App {
	list := *r.s.configApps.Load()
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// Create creates an app. The id and key are generated when they are absent; the
// secret is always generated.
func (r AppRules) Create(ctx context.Context, in AppInput) (app AppWithSecret, err error) {
	err = r.change(ctx, "made", &app.ID, func(c *change) error {
		made, err := in.create()
		if err != nil {
			return err
		}
		row := &models.App{ID: made.ID, Key: made.Key, Secret: made.Secret, CreatedAt: c.now.Unix(), UpdatedAt: c.now.Unix()}
		if err := writeApp(row, made); err != nil {
			return err
		}
		if err := r.free(c.tx, row); err != nil {
			return err
		}
		if err := errors.Join(c.tx.CreateApp(row), r.audit(c, AuditAppMade, row, nil)); err != nil {
			return err
		}
		data, err := storedAppData(row, c.now)
		app = AppWithSecret{data, row.Secret}
		return err
	})
	return app, err
}

// free refuses an id or a key that another app has, and more than MaxApps apps. The
// transaction keeps others from taking the id and the key meanwhile.
func (r AppRules) free(tx *models.Tx, row *models.App) error {
	used, err := tx.AppKeyUsed(row.Key)
	if err != nil {
		return err
	}
	_, err = tx.App(row.ID)
	if err == nil || r.configured(row.ID) != nil {
		return conflict(fmt.Sprintf("there is an app with the id %q already", row.ID))
	}
	if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	for _, app := range *r.s.configApps.Load() {
		used = used || app.Key == row.Key
	}
	if used {
		return conflict(fmt.Sprintf("there is an app with the key %q already", row.Key))
	}
	n, err := tx.CountApps()
	if err == nil && n >= MaxApps {
		err = conflict(fmt.Sprintf("there are %d apps already, which is the maximum", MaxApps))
	}
	return err
}

// Edit changes an app.
func (r AppRules) Edit(ctx context.Context, id string, in AppInput) (data AppData, err error) {
	err = r.change(ctx, "changed", &id, func(c *change) error {
		row, err := r.changeable(c.tx, id)
		if err != nil {
			return err
		}
		old, err := readApp(row)
		if err != nil {
			return err
		}
		app, err := in.apply(old)
		if err := allViolations(stays("id", in.ID, id), stays("key", in.Key, row.Key), err); err != nil {
			return err
		}
		before := *row
		if err := writeApp(row, app); err != nil {
			return err
		}
		if *row != before {
			row.UpdatedAt = c.now.Unix()
			if err := errors.Join(c.tx.SaveApp(row), keepWebhooks(c.tx, old, app), r.auditEdit(c, &before, row)); err != nil {
				return err
			}
		}
		data, err = storedAppData(row, c.now)
		return err
	})
	return data, err
}

// Rotate gives an app a new secret. The replaced secret is honoured for a while. An
// older secret is no longer honoured.
func (r AppRules) Rotate(ctx context.Context, id string, in RotateInput) (app AppWithSecret, err error) {
	err = r.change(ctx, "given a new secret", &id, func(c *change) error {
		row, err := r.changeable(c.tx, id)
		if err != nil {
			return err
		}
		keep, err := in.keep()
		if err != nil {
			return err
		}
		row.OldSecret, row.OldSecretUntil = "", 0
		if keep > 0 {
			row.OldSecret, row.OldSecretUntil = row.Secret, c.now.Add(keep).Unix()
		}
		row.Secret, row.UpdatedAt = randomToken(), c.now.Unix()
		details := map[string]string{"oldSecretUntil": strconv.FormatInt(row.OldSecretUntil, 10)}
		if err := errors.Join(c.tx.SaveApp(row), r.audit(c, AuditAppRotated, row, details)); err != nil {
			return err
		}
		data, err := storedAppData(row, c.now)
		app = AppWithSecret{data, row.Secret}
		return err
	})
	return app, err
}

// Delete deletes an app and closes its sockets.
func (r AppRules) Delete(ctx context.Context, id string) error {
	return r.change(ctx, "deleted", &id, func(c *change) error {
		row, err := r.changeable(c.tx, id)
		if err != nil {
			return err
		}
		return errors.Join(c.tx.DeleteApp(id), r.audit(c, AuditAppRemoved, row, nil))
	})
}

// changeable loads an app that may be changed here.
func (r AppRules) changeable(tx *models.Tx, id string) (*models.App, error) {
	if r.configured(id) != nil {
		return nil, conflict(fmt.Sprintf("the app %q is defined in the configuration file, and can only be changed there", id))
	}
	return storedApp(tx, id)
}

// storedApp loads an app of the database. An invalid id is CodeNotFound.
func storedApp(tx *models.Tx, id string) (*models.App, error) {
	if !apps.ValidID(id) {
		return nil, notFound("app")
	}
	row, err := tx.App(id)
	return row, orNotFound(err, "app")
}

// change runs f in a transaction that excludes other changes of apps, and then puts
// the change into force. what and id are for the log.
func (r AppRules) change(ctx context.Context, what string, id *string, f func(c *change) error) error {
	err := r.s.change(ctx, func(c *change) error {
		if err := r.may(c.tx); err != nil {
			return err
		}
		if err := c.tx.ChangeApps(); err != nil {
			return err
		}
		if r.s.appsChanged != nil {
			c.after = append(c.after, func() { r.s.appsChanged(context.WithoutCancel(ctx)) })
		}
		return f(c)
	})
	if err == nil {
		r.s.Log.InfoContext(ctx, "app "+what, "app", *id, "by", r.by.String())
	}
	return err
}
