package api

import "github.com/gin-gonic/gin"

func (a *API) registerMe(signedIn gin.IRouter) {}
