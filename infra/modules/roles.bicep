// Every role of the app within its own resource group, each at the narrowest scope. The one in the fleet is in fleet-role.bicep.
param principalId string
param storageName string
param cosmosName string
param keyVaultName string
param keyName string
param insightsName string
param logsRuleName string
param topicName string

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageName
}

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' existing = {
  name: cosmosName
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: keyVaultName
}

resource key 'Microsoft.KeyVault/vaults/keys@2023-07-01' existing = {
  parent: vault
  name: keyName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource logsRule 'Microsoft.Insights/dataCollectionRules@2023-03-11' existing = {
  name: logsRuleName
}

// Built-in roles (learn.microsoft.com, Azure built-in roles).
var storageRoles = [
  { name: 'Storage Blob Data Owner', id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' } // the Functions host: leases, keys, the package
  { name: 'Storage Queue Data Contributor', id: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' } // the queues between the functions
  { name: 'Storage Table Data Contributor', id: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' } // the Functions host: its diagnostics
]
var readSecrets = '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User
var wrapKeys = 'e147488a-f6f5-4113-8e2d-b22465e65bf6' // Key Vault Crypto Service Encryption User: read, wrap, unwrap
var sendTelemetry = '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher
var sendEvents = 'd5a91429-5739-47e2-a06b-3470a27159e7' // EventGrid Data Sender
var writeDocuments = '00000000-0000-0000-0000-000000000002' // Cosmos DB Built-in Data Contributor

resource toStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in storageRoles: {
    scope: storage
    name: guid(storage.id, principalId, role.id)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
      description: role.name
    }
  }
]

resource toSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, readSecrets)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readSecrets)
  }
}

resource toKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: key
  name: guid(key.id, principalId, wrapKeys)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', wrapKeys)
  }
}

resource toInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, principalId, sendTelemetry)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', sendTelemetry)
  }
}

resource toLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: logsRule
  name: guid(logsRule.id, principalId, sendTelemetry)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', sendTelemetry)
  }
}

resource toTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: topic
  name: guid(topic.id, principalId, sendEvents)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', sendEvents)
  }
}

resource toDocuments 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, principalId, writeDocuments)
  properties: {
    principalId: principalId
    roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/${writeDocuments}'
    scope: cosmos.id
  }
}
