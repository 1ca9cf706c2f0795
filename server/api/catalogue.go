package api

import (
	"context"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// noun describes an object with routes of its own. In is the body of its POST and
// PATCH, Out its answer.
type noun[In, Out any] struct {
	list   func(c *gin.Context) (any, error)
	get    func(ctx context.Context, who crm.Actor, id int64) (Out, error)
	create func(ctx context.Context, who crm.Actor, in In) (Out, error)
	edit   func(ctx context.Context, who crm.Actor, id int64, in In) (Out, error)
	remove func(ctx context.Context, who crm.Actor, id int64) error
}

// registerNoun adds GET and POST for path, and GET, PATCH and DELETE for path with an
// id. PUT does the same as PATCH: fields that are not given keep their values.
func registerNoun[In, Out any](a *API, r gin.IRouter, path string, n noun[In, Out]) {
	r.GET(path, a.serve(n.list))
	r.POST(path, a.serve(func(c *gin.Context) (any, error) {
		var in In
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return n.create(c.Request.Context(), actor(c), in)
	}))
	one := r.Group(path + "/:id")
	one.GET("", a.withID("id", func(c *gin.Context, id int64) (any, error) {
		return n.get(c.Request.Context(), actor(c), id)
	}))
	edit := a.withID("id", func(c *gin.Context, id int64) (any, error) {
		var in In
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return n.edit(c.Request.Context(), actor(c), id, in)
	})
	one.PATCH("", edit)
	one.PUT("", edit)
	one.DELETE("", a.withID("id", func(c *gin.Context, id int64) (any, error) {
		return crm.IDRef{ID: id}, n.remove(c.Request.Context(), actor(c), id)
	}))
}

// ofCompany serves a list of objects of the company that companyId in the query names.
func ofCompany[T any](
	list func(ctx context.Context, who crm.Actor, companyID int64, q crm.PageQuery) (crm.Page[T], error),
) func(c *gin.Context) (any, error) {
	return func(c *gin.Context) (any, error) {
		company, err := queryID(c, "companyId")
		if err != nil {
			return nil, err
		}
		return list(c.Request.Context(), actor(c), company, queryPage(c))
	}
}

func (a *API) registerCatalogues(signedIn gin.IRouter) {
	registerNoun(a, signedIn, "/tags/categories", noun[crm.NamedInput, crm.CategoryData]{
		list: ofCompany(a.CRM.TagCategories), get: a.CRM.TagCategory,
		create: a.CRM.CreateTagCategory, edit: a.CRM.EditTagCategory, remove: a.CRM.DeleteTagCategory,
	})
	registerNoun(a, signedIn, "/tags", noun[crm.TagInput, crm.TagData]{
		list: a.tags, get: a.CRM.Tag,
		create: a.CRM.CreateTag, edit: a.CRM.EditTag, remove: a.CRM.DeleteTag,
	})
	registerNoun(a, signedIn, "/levels", noun[crm.NamedInput, crm.LevelData]{
		list: ofCompany(a.CRM.Levels), get: a.CRM.Level,
		create: a.CRM.CreateLevel, edit: a.CRM.EditLevel, remove: a.CRM.DeleteLevel,
	})
}

func (a *API) tags(c *gin.Context) (any, error) {
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
	return a.CRM.Tags(c.Request.Context(), actor(c), q)
}
