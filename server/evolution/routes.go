package evolution

import "sync"

// tables are all tables of routes.
var tables = []func() []route{
	welcomeRoutes, instanceRoutes, pairingRoutes, settingsRoutes, websocketRoutes, webhookRoutes, integrationRoutes,
	textRoutes, mediaRoutes, contentRoutes, menuRoutes, statusRoutes, chatFindRoutes, chatRoutes, profileRoutes, groupRoutes, labelRoutes, proxyRoutes, otherRoutes,
}

// allRoutes returns every route.
var allRoutes = sync.OnceValue(func() (all []route) {
	for _, table := range tables {
		all = append(all, table()...)
	}
	return all
})
