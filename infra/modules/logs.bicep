// Tables of the workspace for what Sluice tells of its rollouts, its acts and the fleet, and the rule that takes the rows. Columns:
// shared/domain/log_rows.py, shared/domain/compliance_rows.py.
param name string
param location string
param tags object
param workspaceName string
param isPrivate bool

@description('How long rows are kept, all of it open to queries. A row is told when something changes: what has not changed for longer is no longer in the tables. The audit trail itself is in Cosmos DB.')
@maxValue(730)
param retentionDays int = 730

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
  SluiceCompliance_CL: [
    { name: 'TimeGenerated', type: 'datetime' }
    { name: 'Sweep', type: 'int' }
    { name: 'Kind', type: 'string' }
    { name: 'ResourceId', type: 'string' }
    { name: 'ClusterId', type: 'string' }
    { name: 'Cluster', type: 'string' }
    { name: 'Presence', type: 'string' }
    { name: 'Location', type: 'string' }
    { name: 'Configuration', type: 'string' }
    { name: 'Route', type: 'string' }
    { name: 'SourceUrl', type: 'string' }
    { name: 'Compliance', type: 'string' }
    { name: 'Revision', type: 'string' }
    { name: 'Suspended', type: 'boolean' }
    { name: 'Drift', type: 'string' }
    { name: 'Message', type: 'string' }
    { name: 'Connectivity', type: 'string' }
    { name: 'Extension', type: 'string' }
    { name: 'FluxVersion', type: 'string' }
    { name: 'FluxSupport', type: 'string' }
    { name: 'Policy', type: 'string' }
    { name: 'PolicyAssignments', type: 'dynamic' }
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
      retentionInDays: retentionDays
      totalRetentionInDays: retentionDays
      schema: { name: table.key, columns: table.value }
    }
  }
]

// A private network reaches rules through a data collection endpoint only (learn.microsoft.com, Logs Ingestion API).
resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2023-03-11' = if (isPrivate) {
  name: 'dce-${name}'
  location: location
  tags: tags
  properties: { networkAcls: { publicNetworkAccess: 'Disabled' } }
}

// A rule of kind Direct has an ingestion endpoint of its own (learn.microsoft.com, Logs Ingestion API).
resource rule 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: 'dcr-${name}'
  location: location
  tags: tags
  kind: 'Direct'
  dependsOn: [tables]
  properties: {
    dataCollectionEndpointId: isPrivate ? endpoint.id : null
    streamDeclarations: {
      'Custom-SluiceAudit_CL': { columns: columns.SluiceAudit_CL }
      'Custom-SluiceRollouts_CL': { columns: columns.SluiceRollouts_CL }
      'Custom-SluiceCompliance_CL': { columns: columns.SluiceCompliance_CL }
    }
    destinations: { logAnalytics: [{ name: 'workspace', workspaceResourceId: workspace.id }] }
    dataFlows: [
      { streams: ['Custom-SluiceAudit_CL'], destinations: ['workspace'], outputStream: 'Custom-SluiceAudit_CL' }
      { streams: ['Custom-SluiceRollouts_CL'], destinations: ['workspace'], outputStream: 'Custom-SluiceRollouts_CL' }
      { streams: ['Custom-SluiceCompliance_CL'], destinations: ['workspace'], outputStream: 'Custom-SluiceCompliance_CL' }
    ]
  }
}

output ruleName string = rule.name
output ruleId string = rule.properties.immutableId
#disable-next-line BCP318 // the same condition
output endpoint string = isPrivate ? endpoint.properties.logsIngestion.endpoint : rule.properties.endpoints.logsIngestion
output endpointId string = isPrivate ? endpoint.id : ''
