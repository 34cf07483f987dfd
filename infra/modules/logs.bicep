// Tables of the workspace for what Sluice tells of its rollouts and acts, and the rule that takes the rows. Columns: shared/domain/log_rows.py.
param name string
param location string
param tags object
param workspaceName string

@description('How long rows are kept. The audit trail itself is in Cosmos DB.')
param retentionDays int = 365

var columns = {
  SluiceAudit_CL: [
    { name: 'TimeGenerated', type: 'datetime' }
    { name: 'Stream', type: 'string' }
    { name: 'Number', type: 'int' }
    { name: 'EntryId', type: 'string' }
    { name: 'Actor', type: 'string' }
    { name: 'Action', type: 'string' }
    { name: 'TargetResource', type: 'string' }
    { name: 'Cause', type: 'string' }
    { name: 'Detail', type: 'dynamic' }
    { name: 'Hash', type: 'string' }
  ]
  SluiceRollouts_CL: [
    { name: 'TimeGenerated', type: 'datetime' }
    { name: 'RolloutId', type: 'string' }
    { name: 'Route', type: 'string' }
    { name: 'SourceUrl', type: 'string' }
    { name: 'Ref', type: 'string' }
    { name: 'Revision', type: 'string' }
    { name: 'State', type: 'string' }
    { name: 'Stage', type: 'string' }
    { name: 'Reason', type: 'string' }
    { name: 'WaitingFor', type: 'string' }
    { name: 'Clusters', type: 'int' }
    { name: 'Counts', type: 'dynamic' }
    { name: 'CreatedAt', type: 'datetime' }
  ]
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource tables 'Microsoft.OperationalInsights/workspaces/tables@2023-09-01' = [
  for table in items(columns): {
    parent: workspace
    name: table.key
    properties: {
      plan: 'Analytics'
      totalRetentionInDays: retentionDays
      schema: { name: table.key, columns: table.value }
    }
  }
]

// A rule of kind Direct has an ingestion endpoint of its own (learn.microsoft.com, Logs Ingestion API).
resource rule 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: 'dcr-${name}'
  location: location
  tags: tags
  kind: 'Direct'
  dependsOn: [tables]
  properties: {
    streamDeclarations: {
      'Custom-SluiceAudit_CL': { columns: columns.SluiceAudit_CL }
      'Custom-SluiceRollouts_CL': { columns: columns.SluiceRollouts_CL }
    }
    destinations: { logAnalytics: [{ name: 'workspace', workspaceResourceId: workspace.id }] }
    dataFlows: [
      { streams: ['Custom-SluiceAudit_CL'], destinations: ['workspace'], outputStream: 'Custom-SluiceAudit_CL' }
      { streams: ['Custom-SluiceRollouts_CL'], destinations: ['workspace'], outputStream: 'Custom-SluiceRollouts_CL' }
    ]
  }
}

output ruleName string = rule.name
output ruleId string = rule.properties.immutableId
output endpoint string = rule.properties.endpoints.logsIngestion
