// What wakes people. Each rule is a query in ../queries/alerts, and a section of the same name in docs/runbook.md.
param name string
param location string
param tags object
param workspaceId string
param email string

// Severity as Azure Monitor counts it: 0 critical, 1 error, 2 warning, 3 informational.
var rules = [
  { name: 'message-buried', severity: 1, every: 'PT5M', over: 'PT5M', query: loadTextContent('../queries/alerts/message-buried.kql') }
  { name: 'sweep-late', severity: 1, every: 'PT5M', over: 'PT1H', query: loadTextContent('../queries/alerts/sweep-late.kql') }
  { name: 'rollout-stuck', severity: 2, every: 'PT1H', over: 'P1D', query: loadTextContent('../queries/alerts/rollout-stuck.kql') }
  { name: 'functions-failing', severity: 2, every: 'PT5M', over: 'PT5M', query: loadTextContent('../queries/alerts/functions-failing.kql') }
  { name: 'notification-failed', severity: 2, every: 'PT15M', over: 'PT15M', query: loadTextContent('../queries/alerts/notification-failed.kql') }
  { name: 'notification-delayed', severity: 2, every: 'PT15M', over: 'PT30M', query: loadTextContent('../queries/alerts/notification-delayed.kql') }
  { name: 'commit-untold', severity: 3, every: 'PT15M', over: 'PT15M', query: loadTextContent('../queries/alerts/commit-untold.kql') }
  { name: 'event-undelivered', severity: 2, every: 'PT15M', over: 'PT15M', query: loadTextContent('../queries/alerts/event-undelivered.kql') }
  { name: 'configuration-refused', severity: 2, every: 'PT15M', over: 'PT15M', query: loadTextContent('../queries/alerts/configuration-refused.kql') }
  { name: 'throttled', severity: 2, every: 'PT15M', over: 'PT15M', query: loadTextContent('../queries/alerts/throttled.kql') }
  { name: 'signatures-refused', severity: 3, every: 'PT15M', over: 'PT15M', query: loadTextContent('../queries/alerts/signatures-refused.kql') }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'sluice'
    enabled: true
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${rule.name}-${name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Sluice: ${rule.name}'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.over
      criteria: {
        allOf: [{ query: rule.query, timeAggregation: 'Count', operator: 'GreaterThan', threshold: 0 }]
      }
      autoMitigate: true
      actions: { actionGroups: empty(email) ? [] : [people.id] }
    }
  }
]
