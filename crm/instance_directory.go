package crm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/models"
)

// How often a process looks for changes of instances that others have made. Its own are known at
// once.
const (
	instancesEvery      = 10 * time.Second
	instancesEveryNodes = time.Second
)

// InstanceView is what is known of an instance without a query.
type InstanceView struct {
	ID, Name     string
	CompanyID    int64
	Line         Line
	Shape        string
	Phone        string // digits of the line's account; empty: none
	ProfileName  string // the account's own name; empty: not known
	GroupsIgnore bool
	Websocket    InstanceEvents // to be read only
	UpdatedAt    time.Time
}

// InstanceDirectory knows all instances of all companies. Its methods take no lock and ask no
// database, so they may be called where nothing may wait. What it knows may be a second old.
type InstanceDirectory struct {
	known   atomic.Pointer[instanceSnapshot]
	loading sync.Mutex
	failed  atomic.Bool // the last load; logged once
	broken  atomic.Bool // rows are stored in a wrong form; logged once
}

// instanceSnapshot is never changed.
type instanceSnapshot struct {
	version int64
	byLine  map[Line]*InstanceView
	byID    map[string]*InstanceView
	byName  map[instanceKey]*InstanceView
	named   map[string][]*InstanceView
	company map[int64][]*InstanceView
	gone    map[Line]goneInstance
}

// goneInstance is an instance that was deleted a moment ago: the last events of its line may still
// come.
type goneInstance struct {
	*InstanceView
	until time.Time
}

// goneFor is how long the directory knows the instance of a deleted line.
const goneFor = time.Minute

type instanceKey struct {
	companyID int64
	name      string
}

func newInstanceDirectory() *InstanceDirectory {
	d := &InstanceDirectory{}
	d.known.Store(&instanceSnapshot{version: -1})
	return d
}

// InstanceDirectory returns the directory of instances; see LoadInstances.
func (s *Service) InstanceDirectory() *InstanceDirectory { return s.instances }

// Of returns the instance of a line.
func (d *InstanceDirectory) Of(line Line) (InstanceView, bool) {
	return found(d.known.Load().byLine[line])
}

// OfEvents is Of for the events of a line, which may come within a minute after it was deleted.
func (d *InstanceDirectory) OfEvents(line Line) (InstanceView, bool) {
	known := d.known.Load()
	if v := known.byLine[line]; v != nil {
		return *v, true
	}
	return found(known.gone[line].InstanceView)
}

// ByID returns the instance with this id.
func (d *InstanceDirectory) ByID(id string) (InstanceView, bool) {
	return found(d.known.Load().byID[id])
}

// ByName returns the company's instance with this name.
func (d *InstanceDirectory) ByName(companyID int64, name string) (InstanceView, bool) {
	return found(d.known.Load().byName[instanceKey{companyID, name}])
}

// Named lists the instances of all companies that have this name.
func (d *InstanceDirectory) Named(name string) []InstanceView {
	return views(d.known.Load().named[name])
}

// OfCompany lists the instances of a company, in no order.
func (d *InstanceDirectory) OfCompany(companyID int64) []InstanceView {
	return views(d.known.Load().company[companyID])
}

func found(v *InstanceView) (InstanceView, bool) {
	if v == nil {
		return InstanceView{}, false
	}
	return *v, true
}

func views(list []*InstanceView) []InstanceView {
	out := make([]InstanceView, len(list))
	for i, v := range list {
		out[i] = *v
	}
	return out
}

// LoadInstances fills the directory. It is called before the first request.
func (s *Service) LoadInstances(ctx context.Context) error {
	d := s.instances
	d.loading.Lock()
	defer d.loading.Unlock()
	tx := s.Store.Read(ctx)
	version, err := tx.InstancesVersion()
	if err != nil || version == d.known.Load().version {
		return err
	}
	rows, err := tx.InstanceViews()
	if err != nil {
		return err
	}
	next, broken := snapshotOf(version, rows)
	if was := d.broken.Swap(broken != nil); broken != nil && !was { // once, not each time
		s.Log.ErrorContext(ctx, "instances are stored in a wrong form, and have no events until they are mended", "error", broken)
	}
	next.follow(d.known.Load(), time.Now())
	d.known.Store(next)
	return nil
}

// follow keeps what the snapshot before had and this one has no more.
func (n *instanceSnapshot) follow(before *instanceSnapshot, now time.Time) {
	n.gone = map[Line]goneInstance{}
	for on, v := range before.gone {
		if now.Before(v.until) {
			n.gone[on] = v
		}
	}
	for on, v := range before.byLine {
		if n.byLine[on] == nil {
			n.gone[on] = goneInstance{v, now.Add(goneFor)}
		}
	}
}

// snapshotOf returns what the rows say, and what is wrong with some of them, which are left out.
func snapshotOf(version int64, rows []models.InstanceView) (n *instanceSnapshot, broken error) {
	n = &instanceSnapshot{
		version: version, byLine: make(map[Line]*InstanceView, len(rows)), byID: make(map[string]*InstanceView, len(rows)),
		byName: make(map[instanceKey]*InstanceView, len(rows)), named: map[string][]*InstanceView{}, company: map[int64][]*InstanceView{},
	}
	for k := range rows {
		i, err := instance(&rows[k].Instance)
		if err != nil {
			broken = errors.Join(broken, err)
			continue
		}
		v := &InstanceView{
			ID: i.ID, Name: i.Name, CompanyID: i.CompanyID, Line: i.Line, Shape: i.Shape, Phone: rows[k].Phone, ProfileName: i.ProfileName,
			GroupsIgnore: i.Settings.GroupsIgnore, Websocket: i.Websocket, UpdatedAt: i.UpdatedAt,
		}
		n.byLine[v.Line], n.byID[v.ID], n.byName[instanceKey{v.CompanyID, v.Name}] = v, v, v
		n.named[v.Name], n.company[v.CompanyID] = append(n.named[v.Name], v), append(n.company[v.CompanyID], v)
	}
	return n, broken
}

// RunInstances keeps the directory up to date until ctx ends. It returns nil.
func (s *Service) RunInstances(ctx context.Context) error {
	every := instancesEvery
	if s.Nodes {
		every = instancesEveryNodes
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		s.refreshInstances(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// refreshInstances loads what has changed. What fails is loaded by RunInstances.
func (s *Service) refreshInstances(ctx context.Context) {
	err := s.LoadInstances(ctx)
	if err != nil && ctx.Err() == nil && !s.instances.failed.Load() { // once, not each time
		s.Log.ErrorContext(ctx, "the instances could not be loaded; what has changed of them is not known yet", "error", err)
	}
	s.instances.failed.Store(err != nil)
}

// instancesChanged notes that the instances, or what is known of their lines, are others when the
// change commits.
func (c *change) instancesChanged() error {
	c.tellInstances()
	return c.tx.InstancesChanged()
}

// tellInstances makes the directory know of a change of rows that has raised the version itself.
func (c *change) tellInstances() {
	c.after = append(c.after, func() {
		ctx, cancel := context.WithTimeout(context.Background(), accessEndAge)
		defer cancel()
		c.s.refreshInstances(ctx)
	})
}

// accountChanged notes for the directory that the account of a line has another phone number, or
// this name; an empty one is not known.
func (c *change) accountChanged(on Line, phone bool, name string) error {
	if name != "" {
		renamed, err := c.tx.SetProfileName(on.LicenseID, on.Messenger, name)
		if err != nil {
			return err
		}
		if renamed {
			c.tellInstances()
		}
	}
	if phone {
		if err := c.tx.SetAccountLooks(on.LicenseID, on.Messenger, "", ""); err != nil { // those of another account
			return err
		}
		return c.instancesChanged()
	}
	return nil
}
