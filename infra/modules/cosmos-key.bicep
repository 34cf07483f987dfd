// A key of yours under Cosmos DB's encryption at rest, and the identity that the account reads it with. Its role is given here and not in
// roles.bicep, since the account must be able to use the key at the moment that it is made.
param name string
param location string
param tags object
param keyVaultName string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: keyVaultName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-cosmos-${name}'
  location: location
  tags: tags
}

resource key 'Microsoft.KeyVault/vaults/keys@2023-07-01' = {
  parent: vault
  name: 'cosmos-encryption-key'
  properties: {
    kty: 'RSA'
    keySize: 3072
    keyOps: ['wrapKey', 'unwrapKey']
    rotationPolicy: {
      lifetimeActions: [{ action: { type: 'rotate' }, trigger: { timeAfterCreate: 'P1Y' } }]
    }
  }
}

var wrapKeys = 'e147488a-f6f5-4113-8e2d-b22465e65bf6' // Key Vault Crypto Service Encryption User: read, wrap, unwrap

resource toKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: key
  name: guid(key.id, identity.id, wrapKeys)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', wrapKeys)
  }
}

// Without a version: the account follows the key's rotation.
output keyUri string = key.properties.keyUri
output identityId string = identity.id
