package api

import (
	"context"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// noun is an object with routes of its own. In is the body of its POST and
// PATCH, Out its answer.
type noun[In, Out any] struct {
	list   func(c *gin.Context, who crm.Actor) (any, error)
	get    func(ctx context.Context, who crm.Actor, id int64) (Out, error)
	create func(ctx context.Context, who crm.Actor, in In) (Out, error)
	edit   func(ctx context.Context, who crm.Actor, id int64, in In) (Out, error)
	remove func(ctx context.Context, who crm.Actor, id int64) error
}

// registerNoun adds GET, POST and GET, PATCH, DELETE with an id under path. PUT
// does what PATCH does: what is not given stays as it is.
func registerNoun[In, Out any](a *API, r gin.IRouter, path string, n noun[In, Out]) {
	r.GET(path, func(c *gin.Context) {
		page, err := n.list(c, actor(c))
		a.reply(c, page, err)
	})
	r.POST(path, func(c *gin.Context) {
		var in In
		if err := body(c, &in); err != nil {
			a.fail(c, err)
			return
		}
		out, err := n.create(c.Request.Context(), actor(c), in)
		a.reply(c, out, err)
	})
	one := r.Group(path + "/:id")
	one.GET("", withID(a, func(c *gin.Context, id int64) (any, error) {
		return n.get(c.Request.Context(), actor(c), id)
	}))
	edit := withID(a, func(c *gin.Context, id int64) (any, error) {
		var in In
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return n.edit(c.Request.Context(), actor(c), id, in)
	})
	one.PATCH("", edit)
	one.PUT("", edit)
	one.DELETE("", withID(a, func(c *gin.Context, id int64) (any, error) {
		return crm.IDRef{ID: id}, n.remove(c.Request.Context(), actor(c), id)
	}))
}

// withID serves a route with an id in its path.
func withID(a *API, do func(c *gin.Context, id int64) (any, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		id, err := pathID(c, "id")
		if err != nil {
			a.fail(c, err)
			return
		}
		data, err := do(c, id)
		a.reply(c, data, err)
	}
}

func (a *API) registerCatalogues(signedIn gin.IRouter) {
	registerNoun(a, signedIn, "/tags/categories", noun[crm.NamedInput, crm.CategoryData]{
		list: func(c *gin.Context, who crm.Actor) (any, error) {
			company, err := queryID(c, "companyId")
			if err != nil {
				return nil, err
			}
			return a.CRM.TagCategories(c.Request.Context(), who, company, queryPage(c))
		},
		get: a.CRM.TagCategory, create: a.CRM.CreateTagCategory, edit: a.CRM.EditTagCategory, remove: a.CRM.DeleteTagCategory,
	})
	registerNoun(a, signedIn, "/tags", noun[crm.TagInput, crm.TagData]{
		list: a.tags, get: a.CRM.Tag, create: a.CRM.CreateTag, edit: a.CRM.EditTag, remove: a.CRM.DeleteTag,
	})
	registerNoun(a, signedIn, "/levels", noun[crm.NamedInput, crm.LevelData]{
		list: func(c *gin.Context, who crm.Actor) (any, error) {
			company, err := queryID(c, "companyId")
			if err != nil {
				return nil, err
			}
			return a.CRM.Levels(c.Request.Context(), who, company, queryPage(c))
		},
		get: a.CRM.Level, create: a.CRM.CreateLevel, edit: a.CRM.EditLevel, remove: a.CRM.DeleteLevel,
	})
}

func (a *API) tags(c *gin.Context, who crm.Actor) (any, error) {
	q := crm.TagQuery{PageQuery: queryPage(c)}
	var err error
	if q.CompanyID, err = queryID(c, "companyId"); err != nil {
		return nil, err
	}
	category, err := queryID(c, "categoryId")
	if err != nil {
		return nil, err
	}
	if category != 0 {
		q.CategoryID = &category
	}
	return a.CRM.Tags(c.Request.Context(), who, q)
}
